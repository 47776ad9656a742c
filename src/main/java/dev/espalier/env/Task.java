package dev.espalier.env;

import tools.jackson.databind.node.ObjectNode;

/// Something to attempt: data, and the registered name of the environment that understands it.
///
/// @param env the environment's name in [Environments]
/// @param id names it among the tasks of a run
/// @param data the environment's own
public record Task(String env, String id, ObjectNode data) {}
