/** Builds one JSON object. */
final class Json {
  private final StringBuilder text = new StringBuilder("{");

  static Json event(String name) {
    return new Json().put("ev", name);
  }

  Json put(String key, String value) {
    return key(key).quote(value);
  }

  Json put(String key, long value) {
    key(key).text.append(value);
    return this;
  }

  Json put(String key, boolean value) {
    key(key).text.append(value);
    return this;
  }

  /** @param json already JSON */
  Json putRaw(String key, Object json) {
    key(key).text.append(json);
    return this;
  }

  private Json key(String key) {
    if (text.length() > 1) text.append(',');
    quote(key).text.append(':');
    return this;
  }

  private Json quote(String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') text.append('\\').append(c);
      else if (c < ' ' || c > '~') text.append(String.format("\\u%04x", (int) c));
      else text.append(c);
    }
    text.append('"');
    return this;
  }

  @Override
  public String toString() {
    return text + "}";
  }
}
