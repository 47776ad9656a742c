package dev.espalier.chat;

/// A call of a tool as the model asked for it.
///
/// @param id the id that the tool's result refers to
/// @param name the tool's name
/// @param arguments the arguments as the JSON text that the model wrote, which may fail to parse
public record ToolCall(String id, String name, String arguments) {}
