using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Speaks the Open Inference Protocol with a model's process over its Unix socket. Thread-safe.</summary>
internal sealed class ProcessClient : IDisposable
{
    /// <summary>Bytes of an answer; a process that sends more answers nonsense.</summary>
    private const int LargestAnswer = 64 * 1024 * 1024;

    /// <summary>Characters of the process's own error that are passed on.</summary>
    private const int LongestError = 300;

    private static readonly Uri Base = new("http://model/");

    private readonly HttpMessageInvoker http;
    private readonly Uri infer;

    public ProcessClient(string socket, string name, int concurrency)
    {
        infer = new Uri(Base, $"v2/models/{Uri.EscapeDataString(name)}/infer");
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
            MaxConnectionsPerServer = concurrency + 1,      // one more for the question whether it is ready
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        });
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        // A process that accepts and never answers is asked anew after a second.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Base, "v2/health/ready"));
            using var response = await http.SendAsync(request, limit.Token);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <exception cref="HttpRequestException">The connection broke: most likely the process ended.</exception>
    /// <exception cref="IOException">The same, in the midst of the answer.</exception>
    public async Task<Prediction> InferAsync(TensorSet inputs, TensorSet outputs, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, infer) { Content = Body(inputs, outputs) };
        using var response = await http.SendAsync(request, cancellation);
        var body = new ArrayBufferWriter<byte>(4096);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        while (await stream.ReadAsync(body.GetMemory(4096), cancellation) is > 0 and var read)
        {
            body.Advance(read);
            if (body.WrittenCount > LargestAnswer)
                return Nonsense($"more than {LargestAnswer} bytes");
        }

        if (response.StatusCode != HttpStatusCode.OK)
            return Error(response.StatusCode, body.WrittenMemory);
        try
        {
            return Read(body.WrittenSpan, outputs) is { } fault ? Nonsense(fault)
                : Answer.Check(inputs, outputs) is { } wrong ? Nonsense(wrong)
                : Prediction.Done;
        }
        catch (JsonException e)
        {
            return Nonsense($"no JSON ({TensorJson.PlaceOf(e)})");
        }
        catch (InvalidOperationException)
        {
            return Nonsense("no JSON (a string is no valid Unicode)");      // half of a surrogate pair where a name is compared
        }
    }

    public void Dispose() => http.Dispose();

    private static Prediction Nonsense(string what) => Prediction.InvalidOutput($"the model's process answered nonsense: {what}");

    private static ReadOnlyMemoryContent Body(TensorSet inputs, TensorSet outputs)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("inputs");
            foreach (var tensor in inputs.Tensors)
                TensorJson.Write(writer, tensor);
            writer.WriteEndArray();
            writer.WriteStartArray("outputs");
            foreach (var tensor in outputs.Tensors)
            {
                writer.WriteStartObject();
                writer.WriteString("name", tensor.Spec.Name);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return new ReadOnlyMemoryContent(body.WrittenMemory) { Headers = { ContentType = new("application/json") } };
    }

    /// <summary>Any server of the protocol may add keys of its own around the outputs.</summary>
    private static string? Read(ReadOnlySpan<byte> json, TensorSet outputs)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return "no JSON object";
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isOutputs = reader.ValueTextEquals("outputs"u8);
            reader.Read();
            if (!isOutputs)
                reader.Skip();
            else if (found)
                return "outputs twice";
            else if (TensorJson.Read(ref reader, outputs) is { } fault)
                return fault;
            found |= isOutputs;
        }

        reader.Read();      // nothing may follow: the reader itself refuses it
        return found ? null : "no outputs";
    }

    private static Prediction Error(HttpStatusCode status, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String && error.GetString() is { } text)
            {
                var reason = $"the model's process failed: {(text.Length > LongestError ? text[..LongestError] + "…" : text)}";
                return status == HttpStatusCode.ServiceUnavailable ? Prediction.NotReady("the model's process takes no requests just now")
                    : document.RootElement.TryGetProperty("invalid_output", out var isInvalid) && isInvalid.ValueKind == JsonValueKind.True ? Prediction.InvalidOutput(reason)
                    : Prediction.Failed(reason);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Told below.
        }

        return Prediction.Failed($"the model's process answered nonsense: status {(int)status} without the protocol's error text");
    }
}
