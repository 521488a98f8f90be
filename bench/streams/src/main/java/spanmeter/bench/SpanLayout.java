package spanmeter.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/** Finds the fields of a span's Avro encoding without decoding them. */
final class SpanLayout {
  private static final int STRING = 0;
  private static final int LONG = 1;
  private static final int NULLABLE_LONG = 2;
  private static final int OTHER = 3;

  private final Map<String, Integer> indexes = new HashMap<>();
  private final int[] shapes;
  private final Skip[] skips;

  /** Takes a record schema, as JSON. */
  SpanLayout(JsonNode schema) {
    JsonNode fields = schema.get("fields");
    shapes = new int[fields.size()];
    skips = new Skip[fields.size()];
    for (int i = 0; i < shapes.length; i++) {
      JsonNode field = fields.get(i);
      indexes.put(field.get("name").asText(), i);
      shapes[i] = shapeOf(field.get("type"));
      skips[i] = skipOf(field.get("type"));
    }
  }

  int size() {
    return shapes.length;
  }

  int indexOf(String name) {
    Integer index = indexes.get(name);
    if (index == null) throw new IllegalArgumentException("a span has no field " + name);
    return index;
  }

  /** Steps over one span and notes where each of its fields starts. */
  void locate(AvroBytes in, int[] starts) {
    for (int i = 0; i < shapes.length; i++) {
      starts[i] = in.position;
      switch (shapes[i]) {
        case STRING -> in.skipString();
        case LONG -> in.skipLong();
        case NULLABLE_LONG -> {
          if (in.bytes[in.position++] != 0) in.skipLong();
        }
        default -> skips[i].over(in);
      }
    }
  }

  private interface Skip {
    void over(AvroBytes in);
  }

  private static int shapeOf(JsonNode type) {
    if (type.isTextual() && type.asText().equals("string")) return STRING;
    if (type.isTextual() && type.asText().equals("long")) return LONG;
    if (type.isArray() && type.get(1).asText().equals("long")) return NULLABLE_LONG;
    return OTHER;
  }

  private static Skip skipOf(JsonNode type) {
    if (type.isArray()) {
      Skip skip = skipOf(type.get(1));
      return in -> {
        if (in.readLong() != 0) skip.over(in);
      };
    }
    if (type.isObject()) return skipOfComplex(type);
    return switch (type.asText()) {
      case "string", "bytes" -> AvroBytes::skipString;
      case "long", "int" -> AvroBytes::skipLong;
      case "boolean" -> in -> in.position += 1;
      case "double" -> in -> in.position += 8;
      default -> throw new IllegalArgumentException("no layout for " + type);
    };
  }

  private static Skip skipOfComplex(JsonNode type) {
    switch (type.get("type").asText()) {
      case "array":
        return blocks(skipOf(type.get("items")));
      case "map":
        Skip value = skipOf(type.get("values"));
        return blocks(in -> {
          in.skipString();
          value.over(in);
        });
      case "record":
        JsonNode fields = type.get("fields");
        Skip[] skips = new Skip[fields.size()];
        for (int i = 0; i < skips.length; i++) skips[i] = skipOf(fields.get(i).get("type"));
        return in -> {
          for (Skip skip : skips) skip.over(in);
        };
      default:
        throw new IllegalArgumentException("no layout for " + type);
    }
  }

  private static Skip blocks(Skip item) {
    return in -> {
      for (long count = in.readLong(); count != 0; count = in.readLong()) {
        if (count < 0) {
          int length = (int) in.readLong();
          in.position += length;
        }
        else for (long i = 0; i < count; i++) item.over(in);
      }
    };
  }
}
