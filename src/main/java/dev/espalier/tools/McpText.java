package dev.espalier.tools;

import dev.espalier.chat.Json;
import io.modelcontextprotocol.spec.McpSchema.AudioContent;
import io.modelcontextprotocol.spec.McpSchema.BlobResourceContents;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.Content;
import io.modelcontextprotocol.spec.McpSchema.EmbeddedResource;
import io.modelcontextprotocol.spec.McpSchema.ImageContent;
import io.modelcontextprotocol.spec.McpSchema.ReadResourceResult;
import io.modelcontextprotocol.spec.McpSchema.ResourceContents;
import io.modelcontextprotocol.spec.McpSchema.ResourceLink;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.TextResourceContents;
import java.util.stream.Collectors;

/// What a server answers as text that a policy reads. What is no text is named in brackets.
final class McpText {
  private McpText() {}

  static String error(String why) {
    return Json.object().put("error", why).toString();
  }

  static String result(CallToolResult result) {
    var text = result.content().stream().map(it -> of(it)).collect(Collectors.joining("\n"));
    if (text.isEmpty() && result.structuredContent() != null) {
      text = Json.write(result.structuredContent());
    }
    return Boolean.TRUE.equals(result.isError()) ? error(text) : text;
  }

  static String resource(ReadResourceResult result) {
    return result.contents().stream().map(it -> of(it)).collect(Collectors.joining("\n"));
  }

  private static String of(Content content) {
    return switch (content) {
      case TextContent it -> it.text();
      case EmbeddedResource it -> of(it.resource());
      case ResourceLink it -> "[%s: %s]".formatted(it.name(), it.uri());
      case ImageContent it -> "[an image, %s]".formatted(it.mimeType());
      case AudioContent it -> "[a sound, %s]".formatted(it.mimeType());
      default -> "[%s]".formatted(content.type()); // the SDK's interface is open
    };
  }

  private static String of(ResourceContents contents) {
    return switch (contents) {
      case TextResourceContents it -> it.text();
      case BlobResourceContents it -> "[%s, %s]".formatted(it.uri(), it.mimeType());
      default -> "[%s]".formatted(contents.uri());
    };
  }
}
