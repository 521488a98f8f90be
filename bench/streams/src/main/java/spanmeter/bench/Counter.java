package spanmeter.bench;

import java.util.List;
import java.util.Map;

/** One series: whether a span counts, and what for. */
final class Counter {
  private final int number;
  private final Condition where;
  private final Condition badWhere;
  private final ValueField above;
  private final long limit;
  private final ValueField value;
  private final boolean hasBins;

  /** Takes a series and its number among all; series with the same conditions share them. */
  Counter(
      int number, Series series, SpanLayout layout, Map<List<Series.Match>, Condition> conditions) {
    this.number = number;
    where = conditionOf(series.where(), layout, conditions);
    Series.Bad bad = series.bad();
    badWhere = bad == null ? null : conditionOf(bad.matches(), layout, conditions);
    Series.Above limited = bad == null ? null : bad.above();
    above = limited == null ? null : ValueField.named(limited.field(), layout);
    limit = limited == null ? 0 : limited.units();
    value = series.value() == null ? null : ValueField.named(series.value(), layout);
    hasBins = series.hasBins();
  }

  private static Condition conditionOf(
      List<Series.Match> matches, SpanLayout layout, Map<List<Series.Match>, Condition> conditions) {
    return conditions.computeIfAbsent(matches, all -> new Condition(all, layout));
  }

  int series() {
    return number;
  }

  boolean counts(SpanView span) {
    return where.holds(span) && (value == null || value.isIn(span));
  }

  void addTo(Cell cell, SpanView span) {
    long units = value == null ? 0 : value.of(span);
    cell.add(isBad(span), units);
    if (hasBins) cell.addBin(ValueField.binOf(units));
  }

  private boolean isBad(SpanView span) {
    if (badWhere == null || !badWhere.holds(span)) return false;
    return above == null || (above.isIn(span) && above.of(span) > limit);
  }
}
