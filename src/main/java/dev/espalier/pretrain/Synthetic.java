package dev.espalier.pretrain;

import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.Turn;
import java.util.ArrayList;

/// Conversations with tools that nobody has: schemas, people and values all made up.
final class Synthetic {
  private final Phrases phrases = new Phrases();
  private final Values values;
  private final Shop.Maker shops;
  private final SystemPrompt prompts;
  private final Drills drills;
  private final Reserved reserved = new Reserved();

  Synthetic(Words words) {
    this.values = new Values(words);
    var slots = new Slots(words);
    this.shops = new Shop.Maker(slots, values, words);
    this.prompts = new SystemPrompt(words);
    this.drills = new Drills(words, values, slots);
  }

  Conversation draw(Dice dice) {
    while (true) {
      var conversation = any(dice);
      if (reserved.allows(Rendering.text(conversation))) return conversation;
    }
  }

  private Conversation any(Dice dice) {
    if (dice.chance(0.25)) return drills.draw(dice);
    boolean quick = dice.chance(0.3);
    var shop =
        shops.make(quick ? dice.between(1, 4) : dice.oneOf(1, 2, 3, 3, 4, 4, 5, 6, 7, 9), dice);
    var turns = new ArrayList<Turn>();
    var prompt = prompts.write(shop, dice);
    if (prompt != null) turns.add(new System(prompt));
    var scene = new Scene(shop, phrases, values, turns, dice);
    if (dice.chance(0.12)) scene.smallTalk();
    for (int i = quick ? dice.between(3, 7) : dice.between(1, 4); i > 0; i--) {
      if (quick) scene.quick();
      else scene.errand();
      if (dice.chance(0.04)) scene.smallTalk();
      if (dice.chance(0.4)) scene.inquiry();
    }
    if (dice.chance(0.2)) scene.goodbye();
    return new Conversation(shop.skills().stream().map(Skill::tool).toList(), turns);
  }
}
