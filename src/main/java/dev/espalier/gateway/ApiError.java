package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerResponse;
import org.jspecify.annotations.Nullable;

/// An error of the gateway's own, which a client gets in the shape of the API that it speaks.
final class ApiError extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final HeaderName SHOULD_RETRY = HeaderNames.create("x-should-retry");
  private static final int SECONDS = 1; // a place is free after an answer or two

  private final int status;
  private final @Nullable String param;
  private final @Nullable String code;
  private final int retryAfter;

  ApiError(int status, String message, @Nullable String param, @Nullable String code) {
    this(status, message, param, code, SECONDS);
  }

  private ApiError(
      int status, String message, @Nullable String param, @Nullable String code, int retryAfter) {
    super(message);
    this.status = status;
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  static ApiError badRequest(String message, @Nullable String param) {
    return new ApiError(400, message, param, null);
  }

  static ApiError unknownModel(String model) {
    return unknownModel(model, null);
  }

  /// @param why it is not served, where more is known than that
  static ApiError unknownModel(String model, @Nullable String why) {
    var message =
        why == null
            ? "The model `%s` does not exist: GET /v1/models lists those that do".formatted(model)
            : why;
    return new ApiError(404, message, "model", "model_not_found");
  }

  static ApiError of(ChatException e) {
    var message = String.valueOf(e.getMessage());
    var param = e.code() == null ? null : "messages"; // which are too long
    return new ApiError(e.status(), message, param, e.code(), e.retryAfter());
  }

  static ApiError internal(RuntimeException e) {
    return new ApiError(500, "The gateway failed: " + e.getMessage(), null, "internal_error");
  }

  int status() {
    return status;
  }

  String text() {
    return String.valueOf(getMessage());
  }

  /// Whether somebody else might still answer the request: one that is too long for a model of this
  /// process, say, or has an image in it.
  boolean mayFallBack() {
    return status == 400 || status == 404 || status == 429 || status >= 500;
  }

  /// Sends it, with what a client needs to know before it tries again.
  void send(Api api, ServerResponse response) {
    // OpenAI's SDKs send a 409 again unless they are told that it will stay one
    if (status == 409) response.header(SHOULD_RETRY, "false");
    if (status == 429 || status == 503) {
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(retryAfter));
    }
    JsonResponse.send(response.status(Status.create(status)), body(api));
  }

  byte[] body(Api api) {
    var json =
        switch (api) {
          case OPENAI -> {
            var error = Json.object().put("message", text()).put("type", openAiType());
            error.put("param", param).put("code", code);
            yield Json.object().set("error", error);
          }
          case ANTHROPIC -> {
            var error = Json.object().put("type", anthropicType()).put("message", text());
            yield Json.object().put("type", "error").set("error", error);
          }
        };
    return json.toString().getBytes(UTF_8);
  }

  private String openAiType() {
    if (status == 429) return "rate_limit_error";
    return status >= 500 ? "server_error" : "invalid_request_error";
  }

  private String anthropicType() {
    return switch (status) {
      case 401 -> "authentication_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 413 -> "request_too_large";
      case 429 -> "rate_limit_error";
      case 503 -> "overloaded_error";
      case 504 -> "timeout_error";
      default -> status >= 500 ? "api_error" : "invalid_request_error";
    };
  }
}
