// A product on its way through the shop.

/** A product as events name it; `price` in major units. */
export interface Item {
  product_id: string;
  name: string;
  category: string;
  brand: string;
  price: number;
  currency: string;
  url: string;
  image_url: string;
}
