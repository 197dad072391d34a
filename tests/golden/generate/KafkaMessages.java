/**
 * Writes tests/golden/fixtures/kafka-messages.jsonl.gz: for every API, version, request and
 * response the bytes and the field values according to Kafka's own generated classes.
 *
 * The schemas inside kafka-clients tell which fields a version has; a line of kind "schema"
 * repeats what they say. Each message is made twice: "full" has a value in every field, "sparse"
 * has null wherever it is allowed, else zero or nothing. Kafka's JSON converters make the message
 * of the values; its bytes are read back and compared before they are printed.
 *
 * Run with the libraries of a Kafka 4.2 distribution:
 *
 *   java -cp "$KAFKA_HOME/libs/*" tests/golden/generate/KafkaMessages.java \
 *     | gzip -9n > tests/golden/fixtures/kafka-messages.jsonl.gz
 */
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

public final class KafkaMessages {
  private static final List<ApiKeys> APIS = List.of(
      ApiKeys.PRODUCE, ApiKeys.FETCH, ApiKeys.LIST_OFFSETS, ApiKeys.METADATA,
      ApiKeys.OFFSET_COMMIT, ApiKeys.OFFSET_FETCH, ApiKeys.FIND_COORDINATOR, ApiKeys.JOIN_GROUP,
      ApiKeys.HEARTBEAT, ApiKeys.LEAVE_GROUP, ApiKeys.SYNC_GROUP, ApiKeys.DESCRIBE_GROUPS,
      ApiKeys.LIST_GROUPS, ApiKeys.SASL_HANDSHAKE, ApiKeys.API_VERSIONS, ApiKeys.CREATE_TOPICS,
      ApiKeys.DELETE_TOPICS, ApiKeys.DELETE_RECORDS, ApiKeys.INIT_PRODUCER_ID,
      ApiKeys.OFFSET_FOR_LEADER_EPOCH, ApiKeys.DESCRIBE_CONFIGS, ApiKeys.ALTER_CONFIGS,
      ApiKeys.SASL_AUTHENTICATE, ApiKeys.CREATE_PARTITIONS, ApiKeys.DELETE_GROUPS,
      ApiKeys.INCREMENTAL_ALTER_CONFIGS, ApiKeys.OFFSET_DELETE, ApiKeys.DESCRIBE_CLUSTER,
      ApiKeys.DESCRIBE_TOPIC_PARTITIONS);

  private static final long SAFE_INTEGER_MAX = (1L << 53) - 1;
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_JAVA_COMMENTS).build();

  private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

  public static void main(String[] arguments) throws Exception {
    new KafkaMessages().run();
  }

  private void run() throws Exception {
    for (ApiKeys api : APIS) {
      String name = api.messageType.name;
      printSchema(name + "Request");
      printSchema(name + "Response");
      for (short version : api.allVersions()) {
        if (version > api.latestVersion(false)) continue;
        ObjectNode row = NODES.objectNode();
        row.put("api", api.id).put("name", name).put("version", version);
        row.put("requestHeaderVersion", api.requestHeaderVersion(version));
        row.put("responseHeaderVersion", api.responseHeaderVersion(version));
        print(row.deepCopy().put("kind", "request"), name + "Request", version);
        print(row.deepCopy().put("kind", "response"), name + "Response", version);
      }
    }
    for (String name : List.of("RequestHeader", "ResponseHeader",
        "ConsumerProtocolSubscription", "ConsumerProtocolAssignment")) {
      VersionSet versions = VersionSet.of(schema(name).get("validVersions").asText());
      printSchema(name);
      for (short version = versions.min; version <= versions.max; version++) {
        print(NODES.objectNode().put("name", name).put("version", version).put("kind", "data"),
            name, version);
      }
    }
    out.flush();
  }

  private static JsonNode schema(String name) throws Exception {
    try (InputStream in = Message.class.getResourceAsStream("/common/message/" + name + ".json")) {
      return MAPPER.readTree(in);
    }
  }

  /** Prints what the schema says of every field, under its path from the message down. */
  private void printSchema(String messageName) throws Exception {
    JsonNode schema = schema(messageName);
    ObjectNode row = NODES.objectNode().put("kind", "schema").put("name", messageName);
    row.put("flexibleVersions", schema.get("flexibleVersions").asText());
    ObjectNode fields = row.putObject("fields");
    addFields(fields, "", schema.get("fields"));
    out.println(MAPPER.writeValueAsString(row));
  }

  private static void addFields(ObjectNode all, String parent, JsonNode fields) {
    for (JsonNode field : fields) {
      String path = parent + Filler.camelCase(field.get("name").asText());
      ObjectNode facts = all.putObject(path);
      for (String key : List.of("type", "versions", "nullableVersions", "taggedVersions",
          "flexibleVersions", "tag", "default", "ignorable")) {
        if (field.has(key)) facts.put(key, field.get(key).asText());
      }
      if (field.has("fields")) addFields(all, path + ".", field.get("fields"));
    }
  }

  /** Prints one line for each of the two ways to fill the message. */
  private void print(ObjectNode row, String messageName, short version) throws Exception {
    JsonNode schema = schema(messageName);
    for (boolean full : List.of(true, false)) {
      Filler filler = new Filler(version, full, messageName.hashCode() * 31L + version);
      // Messages of requests, responses and headers end with "Data", embedded ones do not.
      String suffix = schema.get("type").asText().equals("data") ? "" : "Data";
      Class<?> data = Class.forName("org.apache.kafka.common.message." + messageName + suffix);
      Class<?> converter = Class.forName(data.getName() + "JsonConverter");
      Message message = (Message) converter.getMethod("read", JsonNode.class, short.class)
          .invoke(null, filler.struct(schema.get("fields")), version);
      byte[] bytes = bytesOf(message, version);
      Message again = (Message) data.getDeclaredConstructor().newInstance();
      again.read(new ByteBufferAccessor(ByteBuffer.wrap(bytes)), version);
      if (!Arrays.equals(bytes, bytesOf(again, version))) {
        throw new IllegalStateException(messageName + " " + version + " reads back differently");
      }
      JsonNode fields = (JsonNode) converter
          .getMethod("write", data, short.class, boolean.class)
          .invoke(null, message, version, false);
      ObjectNode line = row.deepCopy().put("filled", full ? "full" : "sparse");
      line.put("bytes", Base64.getEncoder().encodeToString(bytes));
      line.set("fields", fields);
      out.println(MAPPER.writeValueAsString(line));
    }
  }

  private static byte[] bytesOf(Message message, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    return buffer.array();
  }

  private record VersionSet(short min, short max) {
    static VersionSet of(String text) {
      if (text.equals("none")) return new VersionSet((short) 1, (short) 0);
      if (text.endsWith("+")) {
        String first = text.substring(0, text.length() - 1);
        return new VersionSet(Short.parseShort(first), Short.MAX_VALUE);
      }
      String[] ends = text.split("-");
      return new VersionSet(Short.parseShort(ends[0]), Short.parseShort(ends[ends.length - 1]));
    }

    boolean has(short version) {
      return version >= min && version <= max;
    }
  }

  /** Makes values for the fields of one version, the same ones in every run. */
  private static final class Filler {
    private final short version;
    private final boolean full;
    private final Random random;

    Filler(short version, boolean full, long seed) {
      this.version = version;
      this.full = full;
      this.random = new Random(seed);
    }

    ObjectNode struct(JsonNode fields) {
      ObjectNode struct = NODES.objectNode();
      for (JsonNode field : fields) {
        if (!has(field, "versions")) continue;
        if (!full && field.has("tag")) continue;
        String name = field.get("name").asText();
        struct.set(camelCase(name), value(field));
      }
      return struct;
    }

    private boolean has(JsonNode field, String versions) {
      return field.has(versions) && VersionSet.of(field.get(versions).asText()).has(version);
    }

    private static String camelCase(String name) {
      return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    private JsonNode value(JsonNode field) {
      if (!full && has(field, "nullableVersions")) return NullNode.instance;
      String type = field.get("type").asText();
      if (!type.startsWith("[]")) return single(type, field);
      ArrayNode array = NODES.arrayNode();
      for (int index = 0; full && index < 2; index++) array.add(single(type.substring(2), field));
      return array;
    }

    private JsonNode single(String type, JsonNode field) {
      return switch (type) {
        case "bool" -> BooleanNode.valueOf(full);
        case "int8" -> IntNode.valueOf(full ? nonZero(Byte.MAX_VALUE) : 0);
        case "int16" -> IntNode.valueOf(full ? nonZero(Short.MAX_VALUE) : 0);
        case "uint16" -> IntNode.valueOf(full ? 1 + random.nextInt(0xffff) : 0);
        case "int32" -> IntNode.valueOf(full ? nonZero(Integer.MAX_VALUE) : 0);
        case "int64" -> LongNode.valueOf(full ? safeLong() : 0);
        case "float64" -> DoubleNode.valueOf(full ? random.nextDouble() : 0);
        case "uuid" -> TextNode.valueOf(
            (full ? new Uuid(random.nextLong(), random.nextLong()) : Uuid.ZERO_UUID).toString());
        case "string" -> TextNode.valueOf(full ? text() : "");
        case "bytes", "records" -> BinaryNode.valueOf(full ? bytes() : new byte[0]);
        default -> struct(field.get("fields"));
      };
    }

    private int nonZero(int max) {
      int magnitude = 2 + random.nextInt(max - 2);
      return random.nextBoolean() ? magnitude : -magnitude;
    }

    private long safeLong() {
      long magnitude = 1 + Math.floorMod(random.nextLong(), SAFE_INTEGER_MAX);
      return random.nextBoolean() ? magnitude : -magnitude;
    }

    /** One to 23 characters of one to four UTF-8 bytes, or a longer text. */
    private String text() {
      List<String> alphabet = List.of("a", "b", "Z", "0", ".", "_", "ü", "€", "𝄞");
      boolean ascii = random.nextInt(3) > 0;
      int length = random.nextInt(12) == 0 ? 130 : 1 + random.nextInt(23);
      StringBuilder text = new StringBuilder();
      for (int index = 0; index < length; index++) {
        text.append(alphabet.get(random.nextInt(ascii ? 6 : alphabet.size())));
      }
      return text.toString();
    }

    private byte[] bytes() {
      byte[] bytes = new byte[1 + random.nextInt(40)];
      random.nextBytes(bytes);
      return bytes;
    }
  }
}
