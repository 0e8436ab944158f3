//! The Events API of the endpoint: namespaces, who may do what there, handlers, rates, and publishes over HTTP.
//!
//! [`Settings`] is what a file says; [`Events`] is the same once it was checked, and all that the rest needs. Which
//! credentials prove a mode is not known here: this says which modes are enabled for what (EVT-AUTH-017).

mod context;
mod handlers;
mod meter;
mod publish;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::server::{Handled, Mode, Outcome};

use crate::auth::{AllowedModes, NamespaceModes};

pub use context::Context;
pub use handlers::{Handler, Invoke, Lambda, LambdaResult, Returned, SubscribeHandler, Transform, When};
pub use meter::Meter;
pub(super) use publish::publish;
pub use settings::{NamespaceSettings, Rates, Settings, SettingsError};

/// What modes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The upgrade; namespaces have no say in it.
    Connect,
    /// A publish, over either transport.
    Publish,
    /// A subscribe.
    Subscribe,
}

/// An Events API whose settings are in order.
#[derive(Clone, Debug)]
pub struct Events {
    connect: Vec<Mode>,
    publish: Vec<Mode>,
    subscribe: Vec<Mode>,
    namespaces: Vec<Namespace>,
    rates: Option<Rates>,
}

/// A namespace that exists.
#[derive(Clone, Debug)]
struct Namespace {
    name: String,
    /// In the place of the lists of the API, where there are any (EVT-AUTH-017).
    publish: Option<Vec<Mode>>,
    subscribe: Option<Vec<Mode>>,
    on_publish: Vec<Handler>,
    on_subscribe: Vec<SubscribeHandler>,
}

impl Default for Events {
    /// `default` and `other`, with API keys for everything and without handlers.
    fn default() -> Self {
        static COMPILED: LazyLock<Events> = LazyLock::new(|| match Settings::default().compile(&[Mode::ApiKey]) {
            Ok(events) => events,
            Err(_) => unreachable!("the default settings are in order, which a test holds"),
        });
        COMPILED.clone()
    }
}

impl Events {
    /// The modes that are enabled for an operation in a namespace; those of the API where it has no list of its own
    /// or does not exist. Source: EVT-AUTH-017.
    pub fn modes_for(&self, operation: Operation, namespace: &str) -> &[Mode] {
        let own = self.namespace(namespace);
        match operation {
            Operation::Connect => &self.connect,
            Operation::Publish => own.and_then(|own| own.publish.as_deref()).unwrap_or(&self.publish),
            Operation::Subscribe => own.and_then(|own| own.subscribe.as_deref()).unwrap_or(&self.subscribe),
        }
    }

    /// Puts the lists of modes where credentials are judged by them.
    pub fn allow_in(&self, modes: &mut AllowedModes) {
        modes.events_connect.clone_from(&self.connect);
        modes.events_publish.clone_from(&self.publish);
        modes.events_subscribe.clone_from(&self.subscribe);
        let own = |own: &Namespace| NamespaceModes { publish: own.publish.clone(), subscribe: own.subscribe.clone() };
        modes.namespaces = self.namespaces.iter().map(|one| (one.name.clone(), own(one))).collect();
    }

    /// The names of the namespaces.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|namespace| namespace.name.as_str())
    }

    /// The rates that are limited; `None` where none is.
    pub const fn rates(&self) -> Option<&Rates> {
        self.rates.as_ref()
    }

    /// Runs the publish handlers of the channel's namespace.
    pub(super) fn publishing(
        &self,
        channel: &Channel,
        events: &[&str],
        context: &Context<'_>,
    ) -> Handled<Vec<Outcome>> {
        let handlers = self.namespace(channel.namespace()).map_or(&[][..], |own| &own.on_publish);
        handlers::publish(handlers, events, &|| context.of_publish(channel))
    }

    /// Runs the subscribe handlers of the pattern's namespace.
    pub(super) fn subscribing(&self, pattern: &ChannelPattern) -> Handled<()> {
        let handlers = self.namespace(pattern.namespace()).map_or(&[][..], |own| &own.on_subscribe);
        handlers::subscribe(handlers, &|| context::path_of(pattern))
    }

    /// Leaves the namespace of this name without handlers.
    pub fn forget_handlers(&mut self, name: &str) {
        for namespace in self.namespaces.iter_mut().filter(|namespace| namespace.name == name) {
            namespace.on_publish.clear();
            namespace.on_subscribe.clear();
        }
    }

    fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.name == name)
    }
}
