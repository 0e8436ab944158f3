//! The short keys by which the Events tables name their sources.

use super::super::Source;

pub(in super::super) static SOURCES: &[Source] = &[
    Source {
        key: "WSP",
        title: "AWS AppSync Events Developer Guide, 'Understanding the Event API WebSocket protocol'",
    },
    Source { key: "PWS", title: "AWS AppSync Events Developer Guide, 'Publish events via WebSocket'" },
    Source { key: "PHTTP", title: "AWS AppSync Events Developer Guide, 'Publish events via HTTP'" },
    Source { key: "CONC", title: "AWS AppSync Events Developer Guide, 'AWS AppSync Events concepts'" },
    Source { key: "NS", title: "AWS AppSync Events Developer Guide, 'Understanding channel namespaces'" },
    Source {
        key: "HND",
        title: "AWS AppSync Events Developer Guide, 'Process real-time events with AWS AppSync event handlers'",
    },
    Source { key: "WEH", title: "AWS AppSync Events Developer Guide, 'Writing event handlers'" },
    Source { key: "EHO", title: "AWS AppSync Events Developer Guide, 'Event handlers overview'" },
    Source { key: "CTX", title: "AWS AppSync Events Developer Guide, 'AWS AppSync Event API context reference'" },
    Source { key: "DLI", title: "AWS AppSync Events Developer Guide, 'Direct data source integrations using Lambda'" },
    Source { key: "TUT", title: "AWS AppSync Events Developer Guide, 'Creating an AWS AppSync Event API'" },
    Source {
        key: "WSC",
        title: "AWS AppSync Events Developer Guide, 'Create a wscat clone using NodeJs and IAM auth'",
    },
    Source {
        key: "DOM",
        title: "AWS AppSync Events Developer Guide, 'Configuring custom domain names for Event APIs'",
    },
    Source {
        key: "AUTHZ",
        title: "AWS AppSync Events Developer Guide, 'Configuring authorization and authentication to secure Event APIs'",
    },
    Source { key: "CWM", title: "AWS AppSync Events Developer Guide, 'CloudWatch metrics'" },
    Source { key: "CWL", title: "AWS AppSync Events Developer Guide, 'Configuring CloudWatch Logs on Event APIs'" },
    Source { key: "HIST", title: "AWS AppSync Events Developer Guide, 'Document History'" },
    Source { key: "APIREF", title: "AWS AppSync API Reference: EventConfig, ChannelNamespace, CreateChannelNamespace" },
    Source { key: "QUOTA", title: "AWS General Reference, 'AWS AppSync endpoints and quotas'" },
    Source { key: "JS", title: "aws-amplify/amplify-js, packages/api-graphql/src and its tests" },
    Source { key: "AND", title: "aws-amplify/amplify-android, appsync/aws-sdk-appsync-events: sources and unit tests" },
    Source {
        key: "AND-IT",
        title: "aws-amplify/amplify-android, appsync/aws-sdk-appsync-events: androidTest integration tests against the service",
    },
    Source { key: "SW", title: "aws-amplify/aws-appsync-events-swift: Sources and unit tests" },
    Source {
        key: "SW-IT",
        title: "aws-amplify/aws-appsync-events-swift: Tests/IntegrationTestApp, integration tests against the service",
    },
    Source { key: "TSL", title: "auvred/aws-appsync-events: src and tests/client.test.ts" },
    Source { key: "TSL-E2E", title: "auvred/aws-appsync-events: tests/e2e.test.ts, against the service" },
    Source {
        key: "LER",
        title: "pyepye/lambda-event-router: service-examples/appsync with scripts that assert against the service, docs/routers, packages/appsync",
    },
    Source { key: "GO1", title: "brokgo/appsync-event-client-go: appsync, and e2e/main_test.go against the service" },
    Source { key: "GO2", title: "boundlessdigital/aws-appsync-events-websockets-client-go" },
    Source { key: "RS", title: "chase/tokio-appsync-events: client and src/bin/mock_appsync_server.rs" },
    Source { key: "OB", title: "onlybakam/ob-appsync-events-client: lib/appsync-events-client.ts" },
    Source {
        key: "PT",
        title: "aws-powertools/powertools-lambda-python: docs/core/event_handler/appsync_events.md, and the TypeScript API reference of the same project",
    },
    Source {
        key: "CDK",
        title: "aws/aws-cdk: packages/aws-cdk-lib/aws-appsync (EventApi, ChannelNamespace) and its tests",
    },
    Source {
        key: "LS",
        title: "localstack/localstack-docs: src/content/docs/aws/services/appsync.mdx, section 'Events API'",
    },
    Source {
        key: "LS-GAP",
        title: "GAPS.md of a public durable-serverlesspresso port that tested the Events emulation of LocalStack",
    },
    Source { key: "MS", title: "ministackorg/ministack: ministack/services/appsync_events.py" },
    Source { key: "CLONE", title: "daisuke-awaji/appsync-events-clone: packages/core and docs/factcheck.md" },
    Source { key: "OCEL", title: "ocelhq/ocel: tests of its realtime gateway" },
    Source { key: "FLOCI", title: "floci-io/floci issue 1173" },
    Source { key: "I-398", title: "aws/aws-appsync-community issue 398" },
    Source { key: "I-400", title: "aws/aws-appsync-community issue 400" },
    Source { key: "I-405", title: "aws/aws-appsync-community issue 405 (about the GraphQL protocol, used by analogy)" },
    Source { key: "PR-14242", title: "aws-amplify/amplify-js pull request 14242 (WebSocket publish)" },
    Source { key: "PR-14491", title: "aws-amplify/amplify-js pull request 14491 (handling of subscribe_error)" },
    Source { key: "TPC", title: "Public third-party client sources found by content, not attributed to a repository" },
    Source {
        key: "RFC",
        title: "RFC 6455 (WebSocket), RFC 7692 (WebSocket compression), RFC 8259 (JSON), RFC 4648 (base64url), RFC 9110 (HTTP)",
    },
];
