using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Units;
using Slipway.Runtime.Replay;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>Where captured requests come from: a file, or the server, by an incident. Sealed ones are opened here and nowhere else.</summary>
/// <param name="What">An incident's id, or a file.</param>
/// <param name="Key">Name or path of the private key; asked for only when something is sealed.</param>
internal sealed record CaptureSource(string What, string Key, long? From, long? To, string? Server)
{
    private const string IncidentPrefix = "inc-";

    private const string NeededKey = "--capture-key takes the private key, by its name or file, whose public half the gateways captured with (their --capture-key FILE.pub); a key that signs bundles is another one";

    public async Task<OpenCapture> OpenAsync(Shell shell, CancellationToken cancellation)
    {
        var path = shell.PathOf(What);
        if (FileStamp.Of(path) is { Kind: FileKind.File })
            return OfFile(path);
        if (!What.StartsWith(IncidentPrefix, StringComparison.Ordinal))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-missing", $"'{What}' is no file, and no incident such as {IncidentPrefix}000042", Help: "`slipway incidents list` lists incidents"));
        return await OfIncidentAsync(cancellation);
    }

    public SlipwayException Nothing() => new(ExitCode.UnusableInput, (From ?? To) is null
        ? new Fault("nothing-captured", $"{What} has no captured requests", Help: "capture is off unless the plan's monitor.capture asks for it and gateways run with --capture-key")
        : new Fault("nothing-captured", $"{What} has no captured requests between --from and --to", Help: "name another time; times without an offset are UTC"));

    private OpenCapture OfFile(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.ReadByte() is var first && first is '{' or '\n' or '\r' or -1)
                return new OpenCapture(Checked(() => CaptureReader.Read(File.OpenRead(path), What)), null, null);
            if (file.Length > 2L * SealedMessage.MaxBytes)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-too-large", $"has {new ByteSize(file.Length)}, and neither begins as JSON lines do nor can be a sealed capture, which has {new ByteSize(SealedMessage.MaxBytes)} at most", What));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", "cannot be read", What, Help: "make it readable for this user"), e);
        }

        var message = File.ReadAllBytes(path);
        if (SealedMessage.RecipientOf(message) is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-malformed", "is neither JSON lines of captured requests nor a capture that is sealed for a key", What, Help: CaptureReader.Help));
        using var key = OpenKey();
        var content = Open(message, key, What);
        return new OpenCapture(Checked(() => CaptureReader.Read(new MemoryStream(content), What)), null, null);
    }

    /// <summary>Requests that are read once to see that they can be, before anything else is done.</summary>
    private IEnumerable<CapturedRequest> Checked(Func<IEnumerable<CapturedRequest>> read) =>
        Within(read()).Take(ReplayReport.MostRequests + 1).Count() > 0 ? Within(read())
        : read().Any() ? throw Nothing()
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("nothing-captured", "is empty: it has no captured request", What, Help: CaptureReader.Help));

    /// <exception cref="SlipwayException">No such key, or no private one (exit 2 or 3): what is needed here is said.</exception>
    private SigningKey OpenKey()
    {
        try
        {
            return KeyFolder.Open(Key);
        }
        catch (SlipwayException e) when (e.Faults is [var fault])
        {
            throw new SlipwayException(e.Exit, [fault with { Message = $"the captured requests are sealed, and --capture-key {Key} does not open them: {fault.Message}", Help = NeededKey }]);
        }
    }

    /// <exception cref="SlipwayException">It is sealed for another key, or was changed (exit 2).</exception>
    private byte[] Open(byte[] message, SigningKey key, string name)
    {
        try
        {
            return SealedMessage.Open(message, key);
        }
        catch (SlipwayException e) when (e.Faults is [{ Code: "sealed-for-another" } fault])
        {
            throw new SlipwayException(e.Exit, [fault with { File = name, Message = $"{fault.Message}, which --capture-key {Key} names", Help = NeededKey }]);
        }
    }

    private async Task<OpenCapture> OfIncidentAsync(CancellationToken cancellation)
    {
        var client = ServerClient.Open(Server);
        var incident = await client.GetAsync($"/api/v1/incidents/{Uri.EscapeDataString(What)}", IncidentJson.Default.Incident, cancellation);
        var window = incident.Evidence.Monitoring?.Plan.Window.Value ?? TimeSpan.FromHours(1);
        var from = From ?? incident.OpenedAt - (long)window.TotalMilliseconds;
        var to = To ?? incident.ClosedAt ?? incident.OpenedAt + (long)window.TotalMilliseconds;
        var captures = await client.GetAsync($"/api/v1/models/{incident.Model}/captures?channel={incident.Channel}&from={from}&to={to}", IncidentJson.Default.ImmutableArrayCaptureInfo, cancellation);
        if (captures.IsEmpty)
            throw Nothing();
        var key = OpenKey();
        if (captures.Select(capture => capture.Recipient).FirstOrDefault(recipient => recipient != key.PublicKey.KeyId) is { } other)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("sealed-for-another", $"a capture is sealed for the key {other}, and --capture-key {Key} names {key.PublicKey.KeyId}", Help: NeededKey));
        return new OpenCapture(
            Fetched(client, captures, key, cancellation).Where(request => request.At >= from && request.At <= to), client, key);
    }

    /// <summary>One capture after the other: what was replayed is let go.</summary>
    private IEnumerable<CapturedRequest> Fetched(ServerClient client, ImmutableArray<CaptureInfo> captures, SigningKey key, CancellationToken cancellation)
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
            foreach (var request in CaptureReader.Read(new MemoryStream(Open(bytes.ToArray(), key, capture.Id)), capture.Id))
                yield return request;
        }
    }

    private IEnumerable<CapturedRequest> Within(IEnumerable<CapturedRequest> requests) => requests.Where(request =>
        (From is not { } from || request.At >= from) && (To is not { } to || request.At <= to));
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
