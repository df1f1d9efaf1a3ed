using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Replay;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>Where captured requests come from: a file, or the server, by an incident. Sealed ones are opened here and nowhere else.</summary>
/// <param name="What">An incident's id, or a file.</param>
/// <param name="Key">Name or path of the private key; asked for only when something is sealed.</param>
internal sealed record CaptureSource(string What, string Key, DateTimeOffset? From, DateTimeOffset? To, string? Server)
{
    private const string IncidentPrefix = "inc-";

    public async Task<OpenCapture> OpenAsync(Shell shell, CancellationToken cancellation)
    {
        var path = shell.PathOf(What);
        if (FileStamp.Of(path) is { Kind: FileKind.File })
            return OfFile(path);
        if (!What.StartsWith(IncidentPrefix, StringComparison.Ordinal))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-missing", $"'{What}' is no file, and no incident such as {IncidentPrefix}000042", Help: "`slipway incidents list` lists incidents"));
        return await OfIncidentAsync(cancellation);
    }

    private OpenCapture OfFile(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (file.ReadByte() is '{' or -1)
        {
            file.Position = 0;
            return new OpenCapture(Within(CaptureReader.Read(file, What)), file, null);
        }

        file.Dispose();
        if (new FileInfo(path).Length > 2L * SealedMessage.MaxBytes)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-too-large", $"is larger than any capture", What));
        var key = KeyFolder.Open(Key);
        return new OpenCapture(Within(Opened(File.ReadAllBytes(path), key, What)), null, key);
    }

    private async Task<OpenCapture> OfIncidentAsync(CancellationToken cancellation)
    {
        var client = ServerClient.Open(Server);
        var incident = await client.GetAsync($"/api/v1/incidents/{What}", IncidentJson.Default.Incident, cancellation);
        var window = incident.Evidence.Monitoring?.Plan.Window.Value ?? TimeSpan.FromHours(1);
        var from = From?.ToUnixTimeMilliseconds() ?? incident.OpenedAt - (long)window.TotalMilliseconds;
        var to = To?.ToUnixTimeMilliseconds() ?? incident.ClosedAt ?? incident.OpenedAt + (long)window.TotalMilliseconds;
        var captures = await client.GetAsync($"/api/v1/models/{incident.Model}/captures?channel={incident.Channel}&from={from}&to={to}", IncidentJson.Default.ImmutableArrayCaptureInfo, cancellation);
        var key = captures.IsEmpty ? null : KeyFolder.Open(Key);
        return new OpenCapture(
            Fetched(client, captures, key, cancellation).Where(request => request.At >= from && request.At <= to), client, key);
    }

    /// <summary>One capture after the other: what was replayed is let go.</summary>
    private static IEnumerable<CapturedRequest> Fetched(ServerClient client, ImmutableArray<CaptureInfo> captures, SigningKey? key, CancellationToken cancellation)
    {
        foreach (var capture in captures)
        {
            var path = $"/api/v1/models/{capture.Model}/captures/{Uri.EscapeDataString(capture.Id)}";
            using var response = client.Http.Send(new HttpRequestMessage(HttpMethod.Get, path), cancellation);
            if (!response.IsSuccessStatusCode)
                throw new SlipwayException(ExitCode.NotThere, new Fault("capture-gone", $"{client.Url} answered {(int)response.StatusCode} for capture {capture.Id}", Help: "its time may be over; name a later --from"));
            using var body = response.Content.ReadAsStream(cancellation);
            using var bytes = new MemoryStream();
            body.CopyTo(bytes);
            foreach (var request in Opened(bytes.ToArray(), key!, capture.Id))
                yield return request;
        }
    }

    private static IEnumerable<CapturedRequest> Opened(byte[] message, SigningKey key, string name) => CaptureReader.Read(new MemoryStream(SealedMessage.Open(message, key)), name);

    private IEnumerable<CapturedRequest> Within(IEnumerable<CapturedRequest> requests) => requests.Where(request =>
        (From is not { } from || request.At >= from.ToUnixTimeMilliseconds()) && (To is not { } to || request.At <= to.ToUnixTimeMilliseconds()));
}

/// <param name="Requests">To be read once, before this is disposed of.</param>
internal sealed record OpenCapture(IEnumerable<CapturedRequest> Requests, IDisposable? Source, SigningKey? Key) : IAsyncDisposable
{
    public ValueTask DisposeAsync()
    {
        Source?.Dispose();
        Key?.Dispose();
        return ValueTask.CompletedTask;
    }
}
