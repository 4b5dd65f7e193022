//! What outsiders see of the edge: the table of routes with method, path, role and types, and the codes of errors.
//!
//! Said once here. The worker's router matches [`Operation`] exhaustively, so a route without a handler does not compile;
//! the OpenAPI document walks through the same table; and what no route needs is dead code, which the lints refuse. Holds no
//! logic but finding a route.

pub mod error_code;
pub mod find;
pub mod method;
pub mod operation;
pub mod payload;
pub mod role;
pub mod route;

pub use error_code::ErrorCode;
pub use find::{Found, NoRoute, Side, find};
pub use method::Method;
pub use operation::Operation;
pub use payload::Payload;
pub use role::Role;
pub use route::Route;
