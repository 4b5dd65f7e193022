//! E-commerce events as shops really send them: the spec's names, with properties in snake or camel case.

use serde_json::{Map, Value};

/// Properties of the e-commerce spec v2 that are more than one word, as the spec writes them and as they are misspelt.
const WORDS: [(&str, &[&str]); 12] = [
    ("order_id", &["orderId", "orderID"]),
    ("product_id", &["productId", "productID"]),
    ("checkout_id", &["checkoutId", "checkoutID"]),
    ("cart_id", &["cartId", "cartID"]),
    ("list_id", &["listId", "listID"]),
    ("coupon_id", &["couponId", "couponID"]),
    ("promotion_id", &["promotionId", "promotionID"]),
    ("wishlist_id", &["wishlistId", "wishlistID"]),
    ("image_url", &["imageUrl", "imageURL"]),
    ("payment_method", &["paymentMethod"]),
    ("shipping_method", &["shippingMethod"]),
    ("group_id", &["groupId", "groupID"]),
];

/// The events of the spec whose properties we read.
const NAMES: [&str; 9] = [
    "Products Searched",
    "Product List Viewed",
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Order Completed",
];

/// Writes an e-commerce event's properties as the spec has them; other events stay as they are.
pub(super) fn normalise(name: &str, properties: &mut Map<String, Value>) {
    if !NAMES.contains(&name) {
        return;
    }
    rename(properties);
    if let Some(Value::Array(products)) = properties.get_mut("products") {
        products.iter_mut().filter_map(Value::as_object_mut).for_each(rename_product);
    }
    if matches!(name, "Product Clicked" | "Product Viewed" | "Product Added" | "Product Removed") {
        rename_product(properties);
    }
}

fn rename(properties: &mut Map<String, Value>) {
    for (right, others) in WORDS {
        for other in others {
            if let Some(value) = properties.remove(*other) {
                properties.entry(right).or_insert(value);
            }
        }
    }
}

/// Products also come with the bare `id` of the spec's first version.
fn rename_product(product: &mut Map<String, Value>) {
    rename(product);
    let named = product.contains_key("product_id") || product.contains_key("sku");
    if !named && let Some(id) = product.get("id").cloned() {
        product.insert("product_id".to_owned(), id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(name: &str, value: &Value) -> Value {
        let mut properties = value.as_object().unwrap().clone();
        normalise(name, &mut properties);
        properties.into()
    }

    #[test]
    fn camel_case_is_read_and_snake_case_wins() {
        let given = json!({"orderId": "1", "products": [{"productId": "a", "product_id": "b"}, {"id": 7, "price": 1}]});
        let kept = json!({"order_id": "1", "products": [{"product_id": "b"}, {"id": 7, "product_id": 7, "price": 1}]});
        assert_eq!(of("Order Completed", &given), kept);
        assert_eq!(of("Product Viewed", &json!({"id": "x"}))["product_id"], "x");
        assert_eq!(of("Quiz Finished", &json!({"orderId": 1})), json!({"orderId": 1}));
    }

    #[test]
    fn every_name_is_one_that_the_parser_knows() {
        for name in NAMES {
            let mut repairs = endcap_protocol::repair::Repairs::default();
            let props = json!({"product_id": "p", "order_id": "o"});
            let parsed = endcap_protocol::commerce::parse(name, &props, *b"EUR", &mut repairs);
            assert!(matches!(parsed, Ok(Some(_))), "{name}");
        }
    }
}
