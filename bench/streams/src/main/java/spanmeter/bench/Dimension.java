package spanmeter.bench;

/** What series group and choose by: a field of the span, or the first of several that is not empty. */
final class Dimension {
  private final int[] fields;

  private Dimension(int... fields) {
    this.fields = fields;
  }

  static Dimension of(String name, SpanLayout layout) {
    if (name.equals("model")) {
      return new Dimension(layout.indexOf("request_model"), layout.indexOf("response_model"));
    }
    return new Dimension(layout.indexOf(name));
  }

  /** The field that the text stands in. */
  int field(SpanView span) {
    for (int i = 0; i < fields.length - 1; i++) {
      if (span.textLength(fields[i]) > 0) return fields[i];
    }
    return fields[fields.length - 1];
  }
}
