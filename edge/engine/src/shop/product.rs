//! Products of the catalogue.

use endcap_protocol::money::{MAX_MINOR, parse_currency};
use endcap_protocol::{CategoryId, FieldError, ProductId};
use endcap_validation::text::check_text;
use endcap_validation::url::check_url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Minor units (cents), 0 to 10^12.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Product {
    /// The shop's ID, the one that events carry as `product_id`.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its page.
    pub url: String,
    /// A picture of it.
    pub image: String,
    /// Category ID, the one that events carry as `category`.
    pub category: String,
    /// What visitors call the category. One product that says it is enough for all of the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_name: Option<String>,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// What it costs.
    pub price: Price,
    /// Whether it can be bought; others are never recommended.
    #[serde(default = "yes")]
    pub available: bool,
}

fn yes() -> bool {
    true
}

impl Product {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check(&self) -> Result<(), FieldError> {
        ProductId::parse(&self.id).map_err(|e| FieldError::new("id", e.message))?;
        CategoryId::parse(&self.category)?;
        check_text("title", &self.title, 300)?;
        check_url("url", &self.url)?;
        check_url("image", &self.image)?;
        if let Some(name) = &self.category_name {
            check_text("category_name", name, 100)?;
        }
        if let Some(brand) = &self.brand {
            check_text("brand", brand, 100)?;
        }
        if !(0..=MAX_MINOR).contains(&self.price.amount) {
            return Err(FieldError::new("price.amount", "must be 0 to 10^12 minor units"));
        }
        let code = parse_currency(&self.price.currency);
        code.map(|_| ()).ok_or_else(|| FieldError::new("price.currency", "must be an ISO 4217 code"))
    }
}

/// Most products of one request.
pub const MAX_PRODUCTS: usize = 10_000;

/// A bulk of products.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Products {
    /// At most 10,000.
    pub products: Vec<Product>,
}

impl Products {
    /// Checks every product.
    ///
    /// # Errors
    /// The first field that is out of range, with its path.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.products.len() > MAX_PRODUCTS {
            return Err(FieldError::new("products", "must hold at most 10000 products; send several requests"));
        }
        let mut numbered = self.products.iter().enumerate();
        numbered.try_for_each(|(i, product)| product.check().map_err(|e| e.under(&format!("products[{i}]"))))
    }
}
