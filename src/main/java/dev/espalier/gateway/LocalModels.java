package dev.espalier.gateway;

import dev.espalier.chat.ChatModel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The models that this process answers with itself: the base model and its adapters.
public interface LocalModels {
  /// The model of that name; null if there is none.
  @Nullable ChatModel find(String name);

  /// Why `find` does not find a model that there is elsewhere, and what to do; null if nothing is
  /// known of that name.
  default @Nullable String whyNot(String name) {
    return null;
  }

  /// The names that `find` knows now.
  List<String> names();

  /// The bytes of a token, which log-probabilities are reported with.
  byte[] token(String model, int id);

  /// What is to be seen of them in `/metrics`.
  default List<Figure> figures() {
    return List.of();
  }

  /// A number of `/metrics`.
  ///
  /// @param name as Prometheus names things: one that only grows ends in `_total`
  /// @param says what it is
  record Figure(String name, String says, long value) {}

  /// No local models: everything goes upstream.
  static LocalModels none() {
    return new LocalModels() {
      @Override
      public @Nullable ChatModel find(String name) {
        return null;
      }

      @Override
      public List<String> names() {
        return List.of();
      }

      @Override
      public byte[] token(String model, int id) {
        return new byte[0];
      }
    };
  }
}
