//! What the short source keys of the GraphQL tables stand for.

use super::super::Source;

pub(in super::super) static SOURCES: &[Source] = &[
    Source {
        key: "D-RTC",
        title: "Building a real-time WebSocket client in AWS AppSync (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-SUB",
        title: "Using subscriptions for real-time data applications in AWS AppSync (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-ENH",
        title: "Defining enhanced subscriptions filters in AWS AppSync (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-INV",
        title: "Unsubscribing WebSocket connections using filters in AWS AppSync (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-EXT",
        title: "Extensions, resolver utility reference, JavaScript and VTL editions (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-MON",
        title: "Using CloudWatch to monitor and log GraphQL API data (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-DOM",
        title: "Configuring custom domain names for GraphQL and real-time APIs (AWS AppSync GraphQL Developer Guide)",
    },
    Source { key: "D-PRV", title: "Using AWS AppSync Private APIs (AWS AppSync GraphQL Developer Guide)" },
    Source {
        key: "D-TRB",
        title: "Troubleshooting and common mistakes in AWS AppSync (AWS AppSync GraphQL Developer Guide)",
    },
    Source {
        key: "D-AUTHZ",
        title: "Configuring authorization and authentication to secure your GraphQL APIs (AWS AppSync GraphQL Developer Guide)",
    },
    Source { key: "D-SCA", title: "Scalar types in GraphQL (AWS AppSync GraphQL Developer Guide)" },
    Source { key: "D-QUO", title: "AWS AppSync endpoints and quotas (AWS General Reference)" },
    Source {
        key: "JS-C",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/api-graphql/src/Providers/constants.ts",
    },
    Source {
        key: "JS-WS",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/api-graphql/src/Providers/AWSWebSocketProvider/index.ts",
    },
    Source {
        key: "JS-RT",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/api-graphql/src/Providers/AWSAppSyncRealTimeProvider/index.ts",
    },
    Source {
        key: "JS-AUTH",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/api-graphql/src/Providers/AWSWebSocketProvider/authHeaders.ts",
    },
    Source {
        key: "JS-URL",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/api-graphql/src/Providers/AWSWebSocketProvider/appsyncUrl.ts",
    },
    Source {
        key: "JS-DS",
        title: "aws-amplify/amplify-js at 36e3ce1998, packages/datastore/src/sync/processors/subscription.ts",
    },
    Source {
        key: "SWIFT",
        title: "aws-amplify/amplify-swift at 197334587a, AmplifyPlugins/API: AppSyncRealTimeClient/*.swift, WebSocketClient.swift, AuthTokenInterceptor.swift",
    },
    Source {
        key: "ANDROID",
        title: "aws-amplify/amplify-android at 6b8bd6a47c, SubscriptionEndpoint.java, TimeoutWatchdog, SubscriptionAuthorizer",
    },
    Source {
        key: "FLUTTER",
        title: "aws-amplify/amplify-flutter at d8a895daa2, packages/api/amplify_api_dart/lib/src/graphql/web_socket and its tests",
    },
    Source {
        key: "GQLPY",
        title: "graphql-python/gql at 0eb57fe92b, gql/transport/appsync_auth.py, appsync_websockets.py and their tests",
    },
    Source {
        key: "APOLLO",
        title: "apollographql/apollo-kotlin at 1a3105c79d, network/websocket/AppSyncWsProtocol.kt, SubscribableWebSocket.kt",
    },
    Source { key: "SONY", title: "sony/appsync-client-go at 6970a8ec84, pure_websocket_subscriber.go" },
    Source {
        key: "SDKJS",
        title: "awslabs/aws-mobile-appsync-sdk-js at d539cfd552, packages/aws-appsync-subscription-link/src/realtime-subscription-handshake-link.ts",
    },
    Source {
        key: "IOSRTC",
        title: "aws-amplify/aws-appsync-realtime-client-ios at 1eebc06ec1, RealtimeConnectionProviderResponse.swift",
    },
    Source { key: "SDKAND", title: "awslabs/aws-mobile-appsync-sdk-android at 3178222715, WebSocketConnectionManager" },
    Source {
        key: "SIM",
        title: "the Amplify simulator: aws-amplify/amplify-cli at 70049be04b, packages/amplify-appsync-simulator/src/server/subscription/websocket-server/server.ts",
    },
    Source {
        key: "CATAPI",
        title: "aws-amplify/amplify-category-api at 2f81117a8d, packages/amplify-graphql-api-construct-tests/src/utils/appsync-graphql/subscription.ts",
    },
    Source {
        key: "OVER",
        title: "the overcast emulator: Neaox/overcast at 7447958348, internal/services/appsync/handler_subscriptions.go, subscriptions.go",
    },
    Source { key: "FLOCI", title: "the floci emulator: floci-io/floci at a2389e7733, AppSync over HTTP only" },
    Source {
        key: "FRAMES",
        title: "sashee/appsync-start_ack at 410f547b68, live frames with timestamps, recorded December 2025",
    },
    Source {
        key: "LIVE26",
        title: "public design note of 9 September 2026 with probes of a deployed API: refused subprotocol, ka gaps, payload cap, filter operators, reconnection",
    },
    Source { key: "community", title: "issue or pull request in aws/aws-appsync-community" },
    Source { key: "amplify-js", title: "issue or pull request in aws-amplify/amplify-js" },
    Source { key: "sdk-js", title: "issue or pull request in awslabs/aws-mobile-appsync-sdk-js" },
    Source { key: "sdk-android", title: "issue or pull request in awslabs/aws-mobile-appsync-sdk-android" },
    Source { key: "sdk-ios", title: "issue or pull request in awslabs/aws-mobile-appsync-sdk-ios" },
    Source { key: "category-api", title: "issue or pull request in aws-amplify/amplify-category-api" },
    Source { key: "amplify-cli", title: "issue or pull request in aws-amplify/amplify-cli" },
    Source { key: "amplify-swift", title: "issue or pull request in aws-amplify/amplify-swift" },
    Source { key: "amplify-android", title: "issue or pull request in aws-amplify/amplify-android" },
    Source { key: "amplify-flutter", title: "issue or pull request in aws-amplify/amplify-flutter" },
    Source {
        key: "aws-appsync-realtime-client-ios",
        title: "issue or pull request in aws-amplify/aws-appsync-realtime-client-ios",
    },
    Source { key: "artillery", title: "issue or pull request in artilleryio/artillery" },
    Source { key: "graphql-ws", title: "issue or pull request in enisdenjo/graphql-ws" },
    Source { key: "spring-graphql", title: "issue or pull request in spring-projects/spring-graphql" },
    Source { key: "apollo-kotlin", title: "issue or pull request in apollographql/apollo-kotlin" },
    Source { key: "graphql-over-http", title: "issue or pull request in graphql/graphql-over-http" },
    Source { key: "aws-cdk", title: "issue or pull request in aws/aws-cdk" },
];
