//! Filters: arguments of a subscription, enhanced filters set by its resolver, and invalidation.

macro_rules! gql_filter {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlFilter001 "GQL-FILTER-001" Must Server Documented Outside
            "A subscription without arguments gets every event of the mutations it listens to."
            from "D-SUB";
        GqlFilter002 "GQL-FILTER-002" Must Server Documented Outside
            "A subscription with arguments gets an event only if each of the arguments equals the field of the same name in the result of the mutation."
            from "D-SUB"
            note "The Amplify simulator (2.16.20, recorded) delivers every event and the overcast emulator ignores arguments.";
        GqlFilter003 "GQL-FILTER-003" Must Server Documented Needs("a subscription argument over a nullable field")
            "An argument that is null matches only a field that is null, and so differs from an omitted one."
            from "D-SUB"
            note "The Amplify simulator filters nothing.";
        GqlFilter004 "GQL-FILTER-004" Must Server Observed Outside
            "An argument given by a variable that is declared but not supplied acts as null."
            from "community#36; community#94; sdk-js#241; sdk-js#339"
            note "Softened by GQL-A-13. The community tracker takes it for a bug.";
        GqlFilter005 "GQL-FILTER-005" Must Server Observed Outside
            "An argument never matches when its field is missing from the selection set of the mutation."
            from "amplify-cli#4601; amplify-flutter#2646; community#89"
            note "The Amplify simulator delivers such an event.";
        GqlFilter006 "GQL-FILTER-006" Must Server Observed Needs("a mutation whose resolver changes the value of a filtered field")
            "Arguments are compared with the result of the mutation and not with its input."
            from "community#89; D-ENH"
            note "The issue has the answer of the service team; the page says it for enhanced filters only.";
        GqlFilter007 "GQL-FILTER-007" Fact Server Observed Needs("a subscription that takes an input object")
            "Arguments that are input objects are of no use for basic filtering."
            from "amplify-cli#5882";
        GqlFilter008 "GQL-FILTER-008" Must Server Documented Needs("an enhanced filter on a subscription that has arguments too")
            "A filter that the resolver of a subscription sets takes the place of the filtering by arguments."
            from "D-ENH";
        GqlFilter009 "GQL-FILTER-009" Must Server Documented Needs("an enhanced filter")
            "All conditions of one filters list have to hold for an event to match the list."
            from "D-ENH";
        GqlFilter010 "GQL-FILTER-010" Must Server Documented Needs("an enhanced filter")
            "An event matches a filterGroup as soon as it matches one of the entries of the group."
            from "D-ENH";
        GqlFilter011 "GQL-FILTER-011" Must Server Documented Needs("an enhanced filter")
            "The operators eq and ne work on integers, floats, strings and booleans."
            from "D-EXT";
        GqlFilter012 "GQL-FILTER-012" Must Server Documented Needs("an enhanced filter")
            "The operators lt, le, gt and ge work on integers, floats and strings."
            from "D-EXT";
        GqlFilter013 "GQL-FILTER-013" Must Server Documented Needs("an enhanced filter")
            "The operators contains and notContains test for a substring of a string or a member of a list."
            from "D-EXT"
            note "A list under notContains is information only (GQL-A-25): LIVE26 saw everything let through.";
        GqlFilter014 "GQL-FILTER-014" Must Server Documented Needs("an enhanced filter")
            "The operator beginsWith tests for a prefix of a string."
            from "D-EXT"
            note "A nested path is information only (GQL-A-25): LIVE26 saw nothing let through.";
        GqlFilter015 "GQL-FILTER-015" Must Server Documented Needs("an enhanced filter")
            "The operators in and notIn test whether the field is one of at most five values."
            from "D-EXT; category-api#740"
            note "A sixth value is refused.";
        GqlFilter016 "GQL-FILTER-016" Must Server Documented Needs("an enhanced filter")
            "The operator between tests whether the field lies in a range given by two values."
            from "D-EXT"
            note "Whether the ends belong to the range is information only (GQL-A-15).";
        GqlFilter017 "GQL-FILTER-017" Must Server Documented Needs("an enhanced filter")
            "The operator containsAny tests whether a list field shares a member with a list of at most 20 values."
            from "D-EXT";
        GqlFilter018 "GQL-FILTER-018" Must Server Documented Needs("an enhanced filter whose operators a subscriber can choose")
            "Names of operators are case-sensitive."
            from "D-EXT";
        GqlFilter019 "GQL-FILTER-019" Must Server Documented Needs("an enhanced filter")
            "The comparison of strings is case-sensitive."
            from "D-EXT";
        GqlFilter020 "GQL-FILTER-020" Must Server Documented Needs("an enhanced filter whose limits a subscriber can exceed")
            "A filter that uses more than five different field names is refused."
            from "D-EXT; JS-DS L697-713"
            note "That a repeated name is refused too is known from a client only and is information.";
        GqlFilter021 "GQL-FILTER-021" Must Server Documented Needs("an enhanced filter whose limits a subscriber can exceed")
            "A filter group of more than ten filters is refused, where every value of an in counts as one."
            from "D-EXT; JS-DS L697-713"
            note "That the values of notIn count in the same way is implied only.";
        GqlFilter022 "GQL-FILTER-022" Must Server Documented Needs("an enhanced filter whose limits a subscriber can exceed")
            "A filter with a string value of more than 256 characters is refused."
            from "D-EXT";
        GqlFilter023 "GQL-FILTER-023" Must Server Documented Needs("an enhanced filter over nested fields")
            "A filter names nested fields with dots, down to five levels."
            from "D-ENH"
            note "A filter on a sixth level is ignored and not refused; that is information only.";
        GqlFilter024 "GQL-FILTER-024" Fact Server Documented Needs("an enhanced filter and a mutation that returns a list")
            "Filters are not supported for a mutation that returns a list at the top level."
            from "D-ENH";
        GqlFilter025 "GQL-FILTER-025" Must Server Implied Needs("an enhanced filter")
            "A filter matches only if the fields it reads are in the selection set of the mutation."
            from "D-SUB; community#89";
        GqlFilter026 "GQL-FILTER-026" Must Server Documented Needs("an invalidation filter and a mutation that invalidates")
            "A subscription that set an invalidation filter when it started ends when an invalidation with a matching payload arrives."
            from "D-INV"
            note "How the end is announced is GQL-A-07.";
        GqlFilter027 "GQL-FILTER-027" Must Server Documented Needs("an invalidation filter and a mutation that invalidates")
            "An invalidation that does not match leaves a subscription alone."
            from "D-INV";
        GqlFilter028 "GQL-FILTER-028" Must Server Implied Needs("a mutation that invalidates and a subscription without invalidation filter")
            "An invalidation does not end a subscription that set no invalidation filter."
            from "D-INV; D-EXT"
            note "The pages invalidate only by filters that hold and do not mention a missing one.";
    } };
}
