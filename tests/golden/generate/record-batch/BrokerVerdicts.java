import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.utils.Crc32C;

/**
 * Asks a running Kafka broker what it does with odd record batches. A line per case: what was sent, to a topic of
 * which settings, the answer's error, and what then lies in the broker's log.
 *
 *   BrokerVerdicts HOST PORT LOGS > produce-verdicts.jsonl
 */
public class BrokerVerdicts {
    static final short VERSION = 9;
    static final Map<String, String> PLAIN = Map.of();
    static final Map<String, String> APPEND_TIME = Map.of("message.timestamp.type", "LogAppendTime");
    static final Map<String, String> COMPACTED = Map.of("cleanup.policy", "compact");
    static final Map<String, String> BOUNDED =
        Map.of("message.timestamp.before.max.ms", "3600000", "message.timestamp.after.max.ms", "3600000");

    record Case(String name, Map<String, String> config, byte[] bytes) { }

    static final List<Case> cases = new ArrayList<>();
    static final long now = System.currentTimeMillis();

    static byte[] batch(Compression codec, long timestamp, long producerId, int sequence, boolean withKeys) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), RecordBatch.MAGIC_VALUE_V2, codec,
            TimestampType.CREATE_TIME, 0L, -1L, producerId, (short) (producerId < 0 ? -1 : 0), sequence, false, -1);
        for (int i = 0; i < 3; i++) {
            builder.append(timestamp < 0 ? timestamp : timestamp + i, withKeys || i != 1 ? ("key-" + i).getBytes() : null,
                ("value-" + i).getBytes(), new Header[0]);
        }
        ByteBuffer buffer = builder.build().buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static byte[] plain() {
        return batch(Compression.NONE, now, -1L, -1, true);
    }

    static void add(String name, Map<String, String> config, byte[] bytes) {
        cases.add(new Case(name, config, bytes));
    }

    /** A plain batch with a change under a right CRC. */
    static void change(String name, Consumer<ByteBuffer> change) {
        change(name, plain(), change);
    }

    static void change(String name, byte[] bytes, Consumer<ByteBuffer> change) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        change.accept(buffer);
        buffer.putInt(17, (int) Crc32C.compute(bytes, 21, bytes.length - 21));
        add(name, PLAIN, bytes);
    }

    static byte[] join(byte[] first, byte[] second) {
        byte[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    static void collect() {
        add("plain", PLAIN, plain());
        for (Compression codec : List.of(Compression.gzip().build(), Compression.snappy().build(), Compression.lz4().build(),
            Compression.zstd().build())) {
            add("compressed with " + codec.type().name, PLAIN, batch(codec, now, -1L, -1, true));
            add("LogAppendTime topic, " + codec.type().name, APPEND_TIME, batch(codec, now, -1L, -1, true));
        }
        add("LogAppendTime topic", APPEND_TIME, plain());
        add("compacted topic, every record with a key", COMPACTED, plain());
        add("compacted topic, a record without a key", COMPACTED, batch(Compression.NONE, now, -1L, -1, false));
        add("timestamps within bounds", BOUNDED, plain());
        add("timestamps too old", BOUNDED, batch(Compression.NONE, now - 7_200_000, -1L, -1, true));
        add("timestamps too new", BOUNDED, batch(Compression.gzip().build(), now + 7_200_000, -1L, -1, true));
        add("no timestamps", BOUNDED, batch(Compression.NONE, -1L, -1L, -1, true));
        add("timestamps too old, LogAppendTime topic", APPEND_TIME, batch(Compression.NONE, 5L, -1L, -1, true));
        add("idempotent", PLAIN, batch(Compression.NONE, now, 4242L, 0, true));
        byte[] flipped = plain();
        flipped[70] ^= 1;
        add("wrong CRC", PLAIN, flipped);
        change("base offset not 0", b -> b.putLong(0, 5));
        change("leader epoch set", b -> b.putInt(12, 77));
        change("magic 1", b -> b.put(16, (byte) 1));
        change("magic 3", b -> b.put(16, (byte) 3));
        change("maxTimestamp too small", b -> b.putLong(35, now));
        change("maxTimestamp too great", b -> b.putLong(35, now + 1000));
        change("maxTimestamp too great, gzip", batch(Compression.gzip().build(), now, -1L, -1, true), b -> b.putLong(35, now + 1000));
        change("LogAppendTime batch", b -> b.putShort(21, (short) 0x08));
        change("control batch", b -> b.putShort(21, (short) 0x20));
        change("delete horizon", b -> b.putShort(21, (short) 0x40));
        change("undefined attribute bit 7", b -> b.putShort(21, (short) 0x80));
        change("undefined attribute bit 15", b -> b.putShort(21, (short) 0x8000));
        change("codec 5", b -> b.putShort(21, (short) 5));
        change("not the gzip it says", b -> b.putShort(21, (short) 1));
        change("not the snappy it says", b -> b.putShort(21, (short) 2));
        change("not the lz4 it says", b -> b.putShort(21, (short) 3));
        change("not the zstd it says", b -> b.putShort(21, (short) 4));
        change("last offset delta -1", b -> b.putInt(23, -1));
        change("last offset delta 3", b -> b.putInt(23, 3));
        change("count 0", b -> b.putInt(57, 0));
        change("count 2", b -> b.putInt(57, 2));
        change("count 2, last offset delta 1", b -> b.putInt(57, 2).putInt(23, 1));
        change("count 4, last offset delta 3", b -> b.putInt(57, 4).putInt(23, 3));
        change("producer id without a sequence", b -> b.putLong(43, 4242L).putShort(51, (short) 0));
        change("producer id without an epoch", b -> b.putLong(43, 4242L).putInt(53, 0));
        change("producer id -2", b -> b.putLong(43, -2L));
        change("transactional without a producer id", b -> b.putShort(21, (short) 0x10));
        change("first record longer than the batch", b -> b.put(61, (byte) 0x7e));
        change("first record one byte longer than its fields", b -> b.put(61, (byte) (b.get(61) + 2)));
        change("first offset delta 1", b -> b.put(64, (byte) 2));
        change("record attributes 1", b -> b.put(62, (byte) 1));
        change("negative header count", b -> b.put(61 + b.get(61) / 2, (byte) 1));
        add("no bytes", PLAIN, new byte[0]);
        add("two batches", PLAIN, join(plain(), plain()));
        add("three bytes after the batch", PLAIN, join(plain(), new byte[3]));
        add("cut by a byte", PLAIN, Arrays.copyOf(plain(), plain().length - 1));
        add("cut in the header", PLAIN, Arrays.copyOf(plain(), 40));
        byte[] shorter = plain();
        ByteBuffer.wrap(shorter).putInt(8, 40);
        add("length below the header's", PLAIN, shorter);
        byte[] negative = plain();
        ByteBuffer.wrap(negative).putInt(8, -1);
        add("negative length", PLAIN, negative);
    }

    public static void main(String[] args) throws Exception {
        collect();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0] + ":" + args[1]))) {
            List<NewTopic> topics = new ArrayList<>();
            for (int i = 0; i < cases.size(); i++) {
                topics.add(new NewTopic("case-" + i, 1, (short) 1).configs(cases.get(i).config));
            }
            admin.createTopics(topics).all().get();
        }
        Thread.sleep(1000);
        for (int i = 0; i < cases.size(); i++) {
            Case one = cases.get(i);
            String error = produce(args[0], Integer.parseInt(args[1]), "case-" + i, one.bytes);
            byte[] stored = Files.readAllBytes(Path.of(args[2], "case-" + i + "-0", "00000000000000000000.log"));
            System.out.printf("{\"name\":\"%s\",\"config\":{%s},\"now\":%d,\"sent\":\"%s\",\"error\":\"%s\",\"stored\":\"%s\"}%n",
                one.name, config(one.config), now, Base64.getEncoder().encodeToString(one.bytes), error,
                Base64.getEncoder().encodeToString(stored));
        }
    }

    static String config(Map<String, String> config) {
        List<String> fields = new ArrayList<>();
        for (Map.Entry<String, String> entry : new java.util.TreeMap<>(config).entrySet()) {
            fields.add("\"" + entry.getKey() + "\":\"" + entry.getValue() + "\"");
        }
        return String.join(",", fields);
    }

    /** The error of a produce request with acks=all; CLOSED when the broker hangs up. */
    static String produce(String host, int port, String topic, byte[] bytes) throws Exception {
        ProduceRequestData data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(5000);
        ProduceRequestData.TopicProduceData topicData = new ProduceRequestData.TopicProduceData().setName(topic);
        topicData.partitionData().add(new ProduceRequestData.PartitionProduceData().setIndex(0)
            .setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes))));
        data.topicData().add(topicData);
        RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, VERSION, "verdicts", 1);
        ByteBuffer request = new ProduceRequest(data, VERSION).serializeWithHeader(header);
        try (Socket socket = new Socket(host, port)) {
            socket.setSoTimeout(10_000);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            byte[] frame = new byte[request.remaining()];
            request.get(frame);
            out.writeInt(frame.length);
            out.write(frame);
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer;
            try {
                answer = new byte[in.readInt()];
                in.readFully(answer);
            } catch (java.io.EOFException e) {
                return "CLOSED";
            }
            ProduceResponse response = (ProduceResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
            return Errors.forCode(response.data().responses().iterator().next().partitionResponses().get(0).errorCode()).name();
        }
    }
}
