package spanmeter.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.List;

/** What is counted and by what; the part of services/alert/series.ts that matters here. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Series(
    String id,
    List<Match> where,
    List<String> by,
    Bad bad,
    String value,
    boolean hasBins,
    long bucketMs) {

  /** A test of one dimension: its text is one of the values, or none of them. */
  record Match(String dimension, List<String> values, boolean isNegated) {}

  /** Which records are bad: all matches hold, and the value is above the limit, if there is one. */
  record Bad(List<Match> matches, Above above) {}

  record Above(String field, long units) {}
}
