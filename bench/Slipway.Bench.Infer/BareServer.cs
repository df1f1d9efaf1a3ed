using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Slipway.Engines.OnnxRuntime;

namespace Slipway.Bench.Infer;

/// <summary>
/// The reference: Kestrel without a web host, the same body read with Utf8JsonReader, the same call of ONNX Runtime, the same answer.
/// It believes whatever it is sent: no routes, names, datatypes, shapes, ranges or limits.
/// </summary>
internal sealed class BareServer(OnnxModel model) : IHttpApplication<HttpContext>
{
    private readonly ConcurrentQueue<Work> idle = new();

    public static async Task<int> RunAsync(string file)
    {
        using var model = OnnxModel.Load(file);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        using var server = new KestrelServer(
            Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
        await server.StartAsync(new BareServer(model), CancellationToken.None);
        Console.WriteLine(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await Console.In.ReadLineAsync();
        return 0;
    }

    public HttpContext CreateContext(IFeatureCollection features)
    {
        var container = (IHostContextContainer<HttpContext>)features;
        if (container.HostContext is DefaultHttpContext context)
            context.Initialize(features);
        else
            container.HostContext = context = new DefaultHttpContext(features);
        return context;
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        if (!idle.TryDequeue(out var work))
            work = new Work(model);
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAsync();
        while (!read.IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync();
        }

        var answer = work.Answer(read.Buffer);
        reader.AdvanceTo(read.Buffer.End);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        await context.Response.BodyWriter.WriteAsync(answer);
        idle.Enqueue(work);
    }

    public void DisposeContext(HttpContext context, Exception? exception) => ((DefaultHttpContext)context).Uninitialize();

    private sealed class Work(OnnxModel model)
    {
        private static readonly long[] OneByOne = [1, 1];

        private readonly OnnxCall call = model.Prepare(["distance", "hour"], ["probability"], TimeProvider.System);
        private readonly byte[] distance = new byte[4], hour = new byte[8];
        private readonly float[] probability = new float[1];
        private readonly long[] shape = new long[8];
        private readonly ArrayBufferWriter<byte> body = new(1024);
        private Utf8JsonWriter? writer;

        public ReadOnlyMemory<byte> Answer(in ReadOnlySequence<byte> request)
        {
            var id = Read(request);
            call.SetInput(0, distance, OneByOne);
            call.SetInput(1, hour, OneByOne);
            call.Run(TimeSpan.FromSeconds(10));
            var rank = call.OutputShape(0, shape);
            call.CopyOutput(0, MemoryMarshal.AsBytes(probability.AsSpan()));
            call.Clear();
            return Write(id, rank);
        }

        private string? Read(in ReadOnlySequence<byte> request)
        {
            var reader = new Utf8JsonReader(request);
            string? id = null;
            var input = 0;
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                    continue;
                if (reader.ValueTextEquals("id"u8))
                {
                    reader.Read();
                    id = reader.GetString();
                }
                else if (reader.ValueTextEquals("data"u8))
                {
                    reader.Read();
                    reader.Read();
                    if (input++ == 0)
                        MemoryMarshal.Write(distance, reader.GetSingle());
                    else
                        MemoryMarshal.Write(hour, reader.GetInt64());
                }
            }

            return id;
        }

        private ReadOnlyMemory<byte> Write(string? id, int rank)
        {
            body.ResetWrittenCount();
            writer ??= new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true });
            writer.Reset(body);
            writer.WriteStartObject();
            writer.WriteString("model_name"u8, "flight-delay"u8);
            writer.WriteString("model_version"u8, "000000000000"u8);
            writer.WriteString("id"u8, id);
            writer.WriteStartArray("outputs"u8);
            writer.WriteStartObject();
            writer.WriteString("name"u8, "probability"u8);
            writer.WriteString("datatype"u8, "FP32"u8);
            writer.WriteStartArray("shape"u8);
            for (var i = 0; i < rank; i++)
                writer.WriteNumberValue(shape[i]);
            writer.WriteEndArray();
            writer.WriteStartArray("data"u8);
            writer.WriteNumberValue(probability[0]);
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.Flush();
            return body.WrittenMemory;
        }
    }
}
