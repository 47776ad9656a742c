package dev.espalier.cli;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.OpenAIException;
import com.openai.errors.OpenAIServiceException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionAssistantMessageParam;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.JsonNode;

/// The application of the demo: code written against the OpenAI SDK, which knows one address and
/// one model name, and is not told when another model answers.
///
/// Every other request streams.
final class DemoClient implements ChatModel, AutoCloseable {
  private final OpenAIClient client;
  private final AtomicInteger requests = new AtomicInteger();

  DemoClient(URI base) {
    client =
        OpenAIOkHttpClient.builder()
            .baseUrl(base.toString())
            .apiKey("the-demo-has-none")
            .maxRetries(0)
            .build();
  }

  /// How many requests it has sent.
  int requests() {
    return requests.get();
  }

  @Override
  public Completion complete(ChatRequest request) {
    boolean stream = requests.getAndIncrement() % 2 == 1;
    try {
      return completion(stream ? streamed(params(request)) : plain(params(request)));
    } catch (OpenAIServiceException e) {
      throw new ChatException(e.statusCode(), String.valueOf(e.getMessage()), e);
    } catch (OpenAIException e) {
      throw new ChatException(502, String.valueOf(e.getMessage()), e);
    }
  }

  private ChatCompletion plain(ChatCompletionCreateParams.Builder params) {
    return client.chat().completions().create(params.build());
  }

  private ChatCompletion streamed(ChatCompletionCreateParams.Builder params) {
    var whole = ChatCompletionAccumulator.create();
    params.streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build());
    try (var chunks = client.chat().completions().createStreaming(params.build())) {
      chunks.stream().forEach(whole::accumulate);
    }
    return whole.chatCompletion();
  }

  private static ChatCompletionCreateParams.Builder params(ChatRequest request) {
    var params = ChatCompletionCreateParams.builder().model(request.model()).temperature(0.0);
    for (var message : request.conversation()) {
      switch (message) {
        case Message.System(var text) -> params.addSystemMessage(text);
        case Message.User(var text) -> params.addUserMessage(text);
        case Message.Assistant(var text, var calls) -> params.addMessage(assistant(text, calls));
        case Message.ToolResult(var id, var text) ->
            params.addMessage(
                ChatCompletionToolMessageParam.builder().toolCallId(id).content(text).build());
      }
    }
    var tools = request.tools();
    if (tools != null) {
      for (var tool : tools) params.addFunctionTool(function(tool.path("function")));
    }
    return params;
  }

  private static ChatCompletionAssistantMessageParam assistant(String text, List<ToolCall> calls) {
    var message = ChatCompletionAssistantMessageParam.builder();
    if (!text.isEmpty()) message.content(text);
    for (var call : calls) {
      message.addToolCall(
          ChatCompletionMessageFunctionToolCall.builder()
              .id(call.id())
              .function(
                  ChatCompletionMessageFunctionToolCall.Function.builder()
                      .name(call.name())
                      .arguments(call.arguments())
                      .build())
              .build());
    }
    return message.build();
  }

  private static FunctionDefinition function(JsonNode json) {
    var parameters = FunctionParameters.builder();
    json.path("parameters")
        .forEachEntry((name, value) -> parameters.putAdditionalProperty(name, value(value)));
    return FunctionDefinition.builder()
        .name(json.path("name").asString())
        .description(json.path("description").asString())
        .parameters(parameters.build())
        .build();
  }

  private static JsonValue value(JsonNode json) {
    return JsonValue.from(Json.MAPPER.convertValue(json, Object.class));
  }

  private static Completion completion(ChatCompletion answer) {
    var choice = answer.choices().getFirst();
    var calls =
        choice.message().toolCalls().orElse(List.of()).stream()
            .map(call -> call.asFunction())
            .map(it -> new ToolCall(it.id(), it.function().name(), it.function().arguments()))
            .toList();
    var reason = calls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
    var usage =
        answer
            .usage()
            .map(it -> new Usage((int) it.promptTokens(), (int) it.completionTokens()))
            .orElse(new Usage(0, 0));
    var text = choice.message().content().orElse("");
    return new Completion(new Message.Assistant(text, calls), reason, usage, null);
  }

  @Override
  public void close() {
    client.close();
  }
}
