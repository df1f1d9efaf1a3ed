using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Store.Oci;

namespace Slipway.Tests.Gateway.Control;

/// <summary>The server's side of a gateway's calls over real HTTP, as a test orders it.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    public const string Token = "slp_test";

    /// <summary>How long a poll is held.</summary>
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(2);

    private readonly WebApplication web;
    private readonly OciLayout layout;
    private readonly ConcurrentQueue<GatewayReport> reports = new();
    private readonly ConcurrentQueue<EventBatch> batches = new();
    private readonly ConcurrentDictionary<(string Boot, long Sequence), bool> taken = new();
    private readonly ConcurrentQueue<TelemetryBatch> telemetry = new();
    private readonly ConcurrentDictionary<(string Boot, long Sequence), byte[]> received = new();
    private volatile DesiredState? state;
    private volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ScriptedServer(WebApplication web, OciLayout layout) => (this.web, this.layout) = (web, layout);

    public Uri Url => new(web.Urls.First());

    /// <summary>While false, every call's connection is cut.</summary>
    public bool Up { get; set; } = true;

    /// <summary>While true, events and telemetry are taken in and their receipts are lost.</summary>
    public bool LosesReceipts { get; set; }

    /// <summary>What telemetry is answered with; an older server has 404.</summary>
    public int TelemetryStatus { get; set; } = StatusCodes.Status200OK;

    /// <summary>What a capture of a model is answered with.</summary>
    public Func<string, int> CaptureStatus { get; set; } = static _ => StatusCodes.Status204NoContent;

    /// <summary>Id, model and sealed requests of the captures that were taken in, as they came.</summary>
    public ConcurrentQueue<(string Id, string Model, byte[] Message)> Captures { get; } = new();

    /// <summary>Calls with telemetry, whatever they were answered with.</summary>
    public int TelemetryCalls { get; private set; }

    /// <summary>Batches that came twice, and not as the same bytes.</summary>
    public int Changed { get; private set; }

    /// <summary>When the last batch was sent, as it says.</summary>
    public long SentAt { get; private set; }

    /// <summary>What is sent in a blob's place.</summary>
    public Func<Digest, byte[], byte[]> Spoil { get; set; } = static (_, bytes) => bytes;

    /// <summary>What is sent as a bundle's list.</summary>
    public Func<BundleContents, BundleContents> SpoilList { get; set; } = static contents => contents;

    /// <summary>Blobs that were asked for.</summary>
    public ConcurrentQueue<Digest> Asked { get; } = new();

    public IReadOnlyCollection<GatewayReport> Reports => reports;

    /// <summary>Each batch once, as they came: those of a later boot after those before.</summary>
    public IReadOnlyCollection<EventBatch> Batches => batches;

    /// <summary>Each batch once, as they came.</summary>
    public IReadOnlyList<TelemetryBatch> Telemetry => [.. telemetry];

    public IEnumerable<TelemetrySlice> Slices => Telemetry.SelectMany(batch => batch.Slices);

    public static async Task<ScriptedServer> StartAsync(OciLayout layout)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var web = builder.Build();
        var server = new ScriptedServer(web, layout);
        web.Use(async (http, next) =>
        {
            if (!server.Up)
                http.Abort();
            else if (http.Request.Headers.Authorization != $"Bearer {Token}")
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            else
                await next(http);
        });
        web.MapGet("/api/v1/gateway/desired", server.PollAsync);
        web.MapPost("/api/v1/gateway/report", server.ReportAsync);
        web.MapPost("/api/v1/gateway/events", server.TakeAsync);
        web.MapPost("/api/v1/gateway/telemetry", server.TakeTelemetryAsync);
        web.MapPost("/api/v1/gateway/captures", server.TakeCaptureAsync);
        web.MapGet("/api/v1/bundles/{digest}", server.ContentsAsync);
        web.MapGet("/api/v1/blobs/{digest}", server.BlobAsync);
        await web.StartAsync();
        return server;
    }

    public void Order(DesiredState next)
    {
        state = next;
        Interlocked.Exchange(ref changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    public DesiredState Order(long epoch, long revision, params ModelRoute[] models)
    {
        var next = new DesiredState("production", epoch, revision, DesiredState.DefaultLease, [.. models]);
        Order(next);
        return next;
    }

    public static ModelRoute Route(VersionRef? stable, RolloutRoute? rollout = null, string model = "flight-delay", params VersionRef[] warm) =>
        new(model, stable, rollout, [.. warm], null);

    public static RolloutRoute Canary(VersionRef candidate, int weight, long revision, string id = "r-1") =>
        new(id, candidate, weight, false, revision, ChannelPlan.RequestId, "00112233445566778899aabbccddeeff");

    public async ValueTask DisposeAsync()
    {
        Order(new DesiredState("production", 0, 0, new Duration(TimeSpan.FromSeconds(1)), []));     // lets the polls go
        await web.DisposeAsync();
    }

    private async Task PollAsync(HttpContext http)
    {
        var after = http.Request.Query["after"].ToString().Split('.');
        var known = (long.Parse(after[0]), long.Parse(after[1]));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        patience.CancelAfter(Hold);
        while (true)
        {
            var wake = changed.Task;
            if (state is { } now && (now.Epoch, now.Revision) != known)
            {
                await AnswerAsync(http, CanonicalJson.Serialize(now, RolloutJson.Default.DesiredState));
                return;
            }

            try
            {
                await wake.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                return;
            }

            if (!Up)
            {
                http.Abort();
                return;
            }
        }
    }

    private async Task ReportAsync(HttpContext http)
    {
        reports.Enqueue((await JsonSerializer.DeserializeAsync(http.Request.Body, RolloutJson.Default.GatewayReport, http.RequestAborted))!);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task TakeAsync(HttpContext http)
    {
        var batch = (await JsonSerializer.DeserializeAsync(http.Request.Body, RolloutJson.Default.EventBatch, http.RequestAborted))!;
        if (taken.TryAdd((batch.Boot, batch.Sequence), true))
            batches.Enqueue(batch);
        if (LosesReceipts)
            http.Abort();
        else
            await AnswerAsync(http, CanonicalJson.Serialize(new EventReceipt(batch.Gateway, batch.Boot, batch.Sequence), RolloutJson.Default.EventReceipt));
    }

    private async Task TakeTelemetryAsync(HttpContext http)
    {
        TelemetryCalls++;
        var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (TelemetryStatus != StatusCodes.Status200OK)
        {
            http.Response.StatusCode = TelemetryStatus;
            return;
        }

        var batch = JsonSerializer.Deserialize(body.ToArray(), MonitoringJson.Default.TelemetryBatch)!;
        if (received.TryAdd((batch.Boot, batch.Sequence), body.ToArray()))
            telemetry.Enqueue(batch);
        else if (!received[(batch.Boot, batch.Sequence)].AsSpan().SequenceEqual(body.ToArray()))
            Changed++;
        SentAt = long.Parse(http.Request.Headers[TelemetryBatch.SentAtHeader].ToString());
        if (LosesReceipts)
            http.Abort();
        else
            await AnswerAsync(http, CanonicalJson.Serialize(new TelemetryReceipt(batch.Gateway, batch.Boot, batch.Sequence), MonitoringJson.Default.TelemetryReceipt));
    }

    private async Task TakeCaptureAsync(HttpContext http)
    {
        var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var model = http.Request.Query["model"].ToString();
        http.Response.StatusCode = CaptureStatus(model);
        if (http.Response.StatusCode == StatusCodes.Status204NoContent)
            Captures.Enqueue((http.Request.Query["id"].ToString(), model, body.ToArray()));
    }

    private Task ContentsAsync(HttpContext http)
    {
        var bundle = Digest.Parse((string)http.Request.RouteValues["digest"]!);
        if (layout.Find(bundle) is not { } entry)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var attestations = layout.Referrers(bundle);
        var manifests = attestations.Select(referrer => (Entry: referrer.Entry, Manifest: referrer.Manifest!)).Prepend((Entry: entry, Manifest: OciManifest.Parse(layout.ReadBlob(bundle, OciManifest.MaxBytes).Bytes)));
        var blobs = manifests.SelectMany(manifest => manifest.Manifest.Blobs.Append(manifest.Entry)).DistinctBy(blob => blob.Digest).OrderBy(blob => blob.Size);
        return AnswerAsync(http, CanonicalJson.Serialize(SpoilList(new BundleContents(bundle, [.. attestations.Select(referrer => referrer.Entry.Digest)], [.. blobs])), RegistryJson.Default.BundleContents));
    }

    private Task BlobAsync(HttpContext http)
    {
        var blob = Digest.Parse((string)http.Request.RouteValues["digest"]!);
        Asked.Enqueue(blob);
        return AnswerAsync(http, Spoil(blob, layout.ReadBlob(blob, int.MaxValue).Bytes));
    }

    private static async Task AnswerAsync(HttpContext http, byte[] body)
    {
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
