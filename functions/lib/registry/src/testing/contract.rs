//! The macros that stamp the contract suite on a store.

/// Defines a test for every promise of [`ItemStore`](crate::ports::ItemStore).
///
/// `$store` is an expression that makes an empty store; it may be a tuple of the store and what keeps it alive. With
/// `contract_cases` before it, this is instead an array of each promise's name and the future that tests it.
#[macro_export]
macro_rules! item_store_contract {
    ($store:expr) => {
        $crate::item_store_contract!(contract_tests, $store);
    };
    ($each:ident, $store:expr) => {
        $crate::$each! {
            $store,
            items_contract,
            [
                an_item_that_was_put_is_returned_as_it_was,
                what_is_not_there_is_none_and_order_is_kept,
                a_key_that_is_asked_for_twice_is_answered_twice,
                more_keys_than_one_call_may_hold_are_read,
                a_condition_that_does_not_hold_refuses_the_whole_transaction,
                a_refusal_returns_the_item_in_the_way,
                of_several_refusals_the_first_is_named,
                every_condition_means_what_it_says,
                delete_and_check_obey_their_conditions,
                a_full_transaction_is_written,
                a_transaction_of_as_many_bytes_as_may_be_is_written,
                of_many_racing_creators_one_wins,
                racing_increments_lose_nothing,
                a_query_walks_in_byte_order_of_its_partition_only,
                a_query_obeys_prefix_after_and_limit_both_ways,
                a_scan_sees_every_item_once,
            ]
        }
    };
}

/// Defines a test for every promise of [`ObjectStore`](crate::ports::ObjectStore), as [`item_store_contract`] does.
#[macro_export]
macro_rules! object_store_contract {
    ($store:expr) => {
        $crate::object_store_contract!(contract_tests, $store);
    };
    ($each:ident, $store:expr) => {
        $crate::$each! {
            $store,
            objects_contract,
            [
                an_object_that_was_put_is_read_whole_and_in_ranges,
                what_is_not_there_is_none,
                delete_can_be_repeated,
                an_upload_is_invisible_until_it_is_finished,
                appends_follow_one_another,
                an_append_from_an_older_state_overwrites_what_came_after,
                what_arrived_before_a_body_broke_off_is_kept,
                an_upload_without_bytes_is_an_empty_object,
                finish_and_abort_can_be_repeated,
                an_upload_that_was_aborted_becomes_no_object_or_a_whole_one,
                of_an_upload_that_is_finished_twice_at_once_there_is_one_object,
                a_finished_upload_takes_no_more_bytes,
                a_large_object_comes_back_as_it_went,
                many_small_pieces_make_one_object,
                a_listing_tells_objects_from_unfinished_uploads,
            ]
        }
    };
}

/// Defines a test for every promise of an [`ObjectStore`](crate::ports::ObjectStore) that several processes share, as
/// [`item_store_contract`] does.
#[macro_export]
macro_rules! shared_object_store_contract {
    ($store:expr) => {
        $crate::shared_object_store_contract!(contract_tests, $store);
    };
    ($each:ident, $store:expr) => {
        $crate::$each! {
            $store,
            objects_contract,
            [
                of_two_appends_from_one_state_one_is_kept,
                an_append_that_comes_late_is_in_nobodys_way,
            ]
        }
    };
}

/// Defines one test for each named function.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($store:expr, $module:ident, [$($name:ident),* $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let store = $store;
                $crate::testing::$module::$name(&store.0).await;
            }
        )*
    };
}

/// Makes an array of the named functions' names and futures.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($store:expr, $module:ident, [$($name:ident),* $(,)?]) => {
        [$(
            (stringify!($name), ::std::boxed::Box::pin(async move {
                let store = $store;
                $crate::testing::$module::$name(&store.0).await;
            }) as ::std::pin::Pin<::std::boxed::Box<dyn Future<Output = ()> + '_>>)
        ),*]
    };
}

pub use {item_store_contract, object_store_contract, shared_object_store_contract};
