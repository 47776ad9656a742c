package dev.espalier.pretrain;

import java.util.List;

/// placeholder
final class Synthetic {
  private final Words words;

  Synthetic(Words words) {
    this.words = words;
  }

  Conversation draw(Dice dice) {
    return new Conversation(List.of(), List.of(new Conversation.User(words.word(dice))));
  }
}
