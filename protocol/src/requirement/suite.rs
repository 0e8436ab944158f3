//! Rules the suite owns: what every network service owes its users, whatever its protocol.

macro_rules! syn_rules {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        SynAlive001 "SYN-ALIVE-001" Must Server Standard Outside
            "No message of one client ends the connection of another client or the server process."
            from "RFC 6455 section 7.1.7 (failing a connection concerns that connection only)";
        SynAlive002 "SYN-ALIVE-002" Must Server Standard Outside
            "After a message that it refused or could not read, the server still accepts new connections."
            from "RFC 6455 section 7.1.7 (failing a connection concerns that connection only)";
        SynBound001 "SYN-BOUND-001" Must Server Standard Outside
            "A connection that still answers pings does not leave a request that is due an answer without any."
            from "RFC 6455 section 5.5.2, with the answer the request is due in its own row";
        SynSign001 "SYN-SIGN-001" Must Server Implied Outside
            "A signature authorizes nothing if its date is a day old or its scope is another region or service."
            from "Signature Version 4: the date and the scope are part of what is verified"
            note "The papers of AppSync say which scope a client has to use, and nothing of servers that do not look.";
    } };
}
