package dev.espalier.tools;

/// An MCP server that could not be reached, died, hung or said nothing sensible, or tasks for one
/// that could not be had.
public final class McpException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public McpException(String message) {
    super(message);
  }

  public McpException(String message, Throwable cause) {
    super(message, cause);
  }
}
