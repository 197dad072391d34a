// Produces the records of README.md with franz-go, one batch per topic and codec.
//
//	go run . HOST:PORT
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func small(topic string, i int) *kgo.Record {
	record := &kgo.Record{Topic: topic, Partition: 0}
	record.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i*i) - int64(i%5)*1000)
	if i%4 != 3 {
		record.Key = []byte(fmt.Sprintf("key-%d", i))
	}
	if i%7 != 6 {
		record.Value = []byte(fmt.Sprintf("value-%d %s", i, strings.Repeat("millrace ", i*13%50)))
	}
	if i%3 == 0 {
		record.Headers = []kgo.RecordHeader{
			{Key: "trace", Value: []byte(fmt.Sprintf("t-%d", i))},
			{Key: "ünïcode-✓", Value: nil},
		}
	}
	return record
}

func large(topic string, i int) *kgo.Record {
	var text strings.Builder
	state := uint32(i + 1)
	for text.Len() < 16384 {
		state = state*1103515245 + 12345
		fmt.Fprintf(&text, "w%d ", (state>>16)%64)
	}
	return &kgo.Record{
		Topic:     topic,
		Partition: 0,
		Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)),
		Key:       []byte(fmt.Sprintf("key-%d", i)),
		Value:     []byte(text.String()),
	}
}

func produce(seed, topic string, codec kgo.CompressionCodec, records []*kgo.Record) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(seed),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerLinger(300*time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.AllowAutoTopicCreation(),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		log.Fatal(topic, ": ", err)
	}
}

func main() {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		topic := "franz-go-" + name
		var records []*kgo.Record
		for i := 0; i < 40; i++ {
			records = append(records, small(topic, i))
		}
		produce(os.Args[1], topic, codec, records)
		if name == "none" {
			continue
		}
		topic = "franz-go-large-" + name
		records = nil
		for i := 0; i < 8; i++ {
			records = append(records, large(topic, i))
		}
		produce(os.Args[1], topic, codec, records)
	}
}
