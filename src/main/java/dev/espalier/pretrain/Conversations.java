package dev.espalier.pretrain;

import dev.espalier.chat.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The endless series of conversations that the corpus is made of.
///
/// @param dialogues null to go without: synthetic conversations only
record Conversations(@Nullable SgdConversations dialogues, Synthetic synthetic, long seed) {
  /// Of four conversations one is a dialogue, which is longer: a third of the tokens.
  private static final int CYCLE = 4;

  private static final int DIALOGUES = 1;

  /// @param sgd the folder of the SGD data, null to go without
  /// @param vocabulary whose words to cover, null before there is one
  static Conversations open(@Nullable Path sgd, @Nullable Tokenizer vocabulary, long seed) {
    var data = sgd == null ? null : SgdConversations.allowed(Sgd.load(sgd, "train"));
    var words = new Words(Lexicon.of(data), vocabulary);
    return new Conversations(
        data == null ? null : new SgdConversations(data, words), new Synthetic(words), seed);
  }

  /// The conversation of that index: a function of the seed and the index alone.
  Conversation at(long index) {
    var dice = Dice.of(seed, index);
    if (dialogues == null || index % CYCLE >= DIALOGUES) return synthetic.draw(dice);
    long draw = index / CYCLE * DIALOGUES + index % CYCLE;
    return dialogues.draw(dialogue(draw, dialogues.size()), dice);
  }

  /// Every dialogue once before any comes again, in another order each time.
  private int dialogue(long draw, int size) {
    var order = Dice.of(seed, -1 - draw / size);
    int step = 1 + order.below(size - 1);
    while (gcd(step, size) != 1) step++;
    return (int) ((order.below(size) + draw % size * step) % size);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
