package dev.espalier.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Which captured requests to read: those that meet every condition, oldest first.
///
/// `CaptureFilter.answered().model("gpt-4o").tag("task", "booking")`
///
/// @param limit the most requests to read, the newest of them
public record CaptureFilter(List<Condition> conditions, long limit) {
  /// Something that must hold of a captured request.
  public sealed interface Condition {
    /// The client asked for this model.
    record Model(String name) implements Condition {}

    /// It came at this time or later.
    record Since(Instant time) implements Condition {}

    /// It came before this time.
    record Until(Instant time) implements Condition {}

    /// A provider answered it, and not an adapter of ours.
    record Upstream() implements Condition {}

    /// It was answered with this HTTP status.
    record Status(int code) implements Condition {}

    /// It ended like this.
    record Ended(Outcome outcome) implements Condition {}

    /// Its static part has this hash.
    record PromptVersion(String hash) implements Condition {}

    /// It belongs to this conversation.
    record Conversation(String id) implements Condition {}

    /// It carries this tag.
    record Tag(String name, String value) implements Condition {}

    /// Some feedback on it scores at least this.
    record MinScore(double score) implements Condition {}

    /// Some feedback on it carries this label.
    record Label(String label) implements Condition {}
  }

  public CaptureFilter {
    conditions = List.copyOf(conditions);
    if (limit < 0) throw new IllegalArgumentException("a limit must not be negative");
  }

  /// Every captured request.
  public static CaptureFilter all() {
    return new CaptureFilter(List.of(), Long.MAX_VALUE);
  }

  /// What can be learned from: answered with 200, and whole.
  public static CaptureFilter answered() {
    return all().status(200).outcome(Outcome.COMPLETE);
  }

  public CaptureFilter model(String name) {
    return and(new Condition.Model(name));
  }

  public CaptureFilter since(Instant time) {
    return and(new Condition.Since(time));
  }

  public CaptureFilter until(Instant time) {
    return and(new Condition.Until(time));
  }

  public CaptureFilter upstream() {
    return and(new Condition.Upstream());
  }

  public CaptureFilter status(int code) {
    return and(new Condition.Status(code));
  }

  public CaptureFilter outcome(Outcome outcome) {
    return and(new Condition.Ended(outcome));
  }

  public CaptureFilter promptVersion(String hash) {
    return and(new Condition.PromptVersion(hash));
  }

  public CaptureFilter conversation(String id) {
    return and(new Condition.Conversation(id));
  }

  public CaptureFilter tag(String name, String value) {
    return and(new Condition.Tag(name, value));
  }

  public CaptureFilter minScore(double score) {
    return and(new Condition.MinScore(score));
  }

  public CaptureFilter label(String label) {
    return and(new Condition.Label(label));
  }

  public CaptureFilter limit(long most) {
    return new CaptureFilter(conditions, most);
  }

  private CaptureFilter and(Condition condition) {
    var all = new ArrayList<>(conditions);
    all.add(condition);
    return new CaptureFilter(all, limit);
  }
}
