//! Who may do what, asked over HTTP: one table of what is expected, every cell of it as a request, and a driver that
//! asks any service.
//!
//! - `table`: the expectation, to be read by people.
//! - `deeds`: what can be asked for. `cells`: all combinations, and what each should be answered.
//! - `cast`: the accounts and repositories that the table is about, with the help of `stage`. `ask`: how a service is reached;
//!   `http`: one way of it. `stored`: what refusals must not change.
//! - `driver`: asks the cells, those first that are to be refused. `report`: what came of it.

mod ask;
mod cast;
mod cells;
mod deeds;
mod driver;
mod http;
mod report;
mod stage;
mod stored;
mod table;

pub use ask::{Answer, Ask, basic, bearer, challenge_word, text_of};
pub use cast::{Cast, OPERATOR};
pub use cells::{Cell, Expected, all_cells};
pub use deeds::{Deed, Session, Source, UploadDeed};
pub use driver::run;
pub use http::OverHttp;
pub use report::Report;
pub use stage::PASSWORD;
pub use stored::texts_of_stored;
pub use table::{Place, Role, State, Way};
