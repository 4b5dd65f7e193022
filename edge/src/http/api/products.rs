//! `/api/products`: the catalogue.

use endcap_api::Operation;
use endcap_engine::shop::product::Products;
use endcap_protocol::ProductId;
use endcap_validation::path::segment;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::shop::{DeleteProduct, GetProducts, PutProducts};
use crate::rpc::{call, namespace};

/// What answers an operation on the catalogue.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::PutProducts => put(incoming).await,
        Operation::DeleteProduct => delete(incoming).await,
        _ => get(incoming).await,
    }
}

/// `GET`: the catalogue.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetProducts {}).await
}

/// `PUT`: adds products and replaces those that are there.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let products: Products = read_json(&config_body(&mut incoming).await?)?;
    products.check()?;
    call::post(&namespace::shop(incoming.env)?, &PutProducts(products)).await
}

/// `DELETE`: takes one out of the catalogue. What visitors did with it stays.
async fn delete(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = ProductId::parse(&segment(incoming.parameter, "product_id")?)?;
    call::post(&namespace::shop(incoming.env)?, &DeleteProduct { id }).await
}
