//! Who may do what: the whole matrix, hostile credentials, throttling, and how soon a change takes effect.

mod calls;
mod canary;
mod forged;
mod forger;
mod forgeries;
mod hostile;
mod house;
mod logins;
mod matrix;
mod places;
mod repositories;
mod throttling;
mod times;
