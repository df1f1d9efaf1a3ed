using System.Security.Cryptography;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Control;

/// <summary>All of a gateway but its listener: follows the server, holds versions, keeps the table, and reports.</summary>
internal sealed class GatewayControl : IAsyncDisposable
{
    /// <summary>At the end, for the last events and for stopping to be told.</summary>
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(2);

    private readonly GatewayOptions options;
    private readonly GatewayFolder folder;
    private readonly ServerLink link;
    private readonly HeldVersions versions;
    private readonly Reconciler reconciler;
    private readonly Bookkeeper bookkeeper;
    private readonly EventSender sender;
    private readonly TelemetrySender telemetry;
    private readonly CaptureSender? captured;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task[] loops;

    /// <summary>Begins to follow the server, and to serve what was served last.</summary>
    /// <param name="folder">Closed at the end.</param>
    /// <param name="inFlight">Requests that are being answered, which the server is told.</param>
    /// <exception cref="SlipwayException">The folder cannot be written (exit 3).</exception>
    public GatewayControl(GatewayOptions options, GatewayFolder folder, Router router, Func<long> inFlight)
    {
        (this.options, this.folder) = (options, folder);
        var boot = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var lastKnown = folder.ReadState(options.Channel, options.Log);
        var hosting = new HostOptions
        {
            StateFolder = folder.Hosts,
            MarksRuns = true,
            Probe = options.Probe,
            StartLimit = options.StartLimit,
            PredictionLimit = options.PredictionLimit,
            Concurrency = options.Concurrency,
            Log = options.Log,
            Time = options.Time,
        };
        var notes = CrashNotes.Open(folder.Crashes, lastKnown, CrashMarks.ReadAll(folder.Hosts));
        CrashMarks.Clear(folder.Hosts);     // only now: what is noted twice is noted, and what is cleared before is forgotten
        foreach (var note in notes.Quarantined)
            options.Log($"{note.Model} {note.Bundle.Short} is quarantined: {note.Quarantined}");

        var (changed, settled, kept) = (new Signal(), new Signal(), new Signal());
        link = new ServerLink(options.Server, options.Token, options.Time);
        Recorder = new RolloutRecorder(options.Name, boot, options.Channel, options.Time);
        var clock = new SampleClock(options.Time);
        var captures = options.CaptureKey is null ? null : new CaptureBuffer();
        var samplers = new Samplers(clock, captures);
        var lease = new WeightLease(options.Time);
        var shelf = new BundleShelf(folder.Bundles, options.Trusted, options.Evidence, link, options.Time);
        var follower = new StateFollower(options, link, lease, lastKnown, changed);
        var crashes = new CrashReports(notes, Recorder);
        versions = new HeldVersions(new VersionLoader(shelf, folder.Models, hosting, samplers), notes, hosting, changed.Set);
        reconciler = new Reconciler(options, follower, lease, versions, crashes, router, Recorder);
        sender = new EventSender(options, link, Recorder, crashes);
        telemetry = new TelemetrySender(options, link, samplers, new TelemetryLog(options.Name, boot, options.Channel), clock, new HostGauge(options.Time, inFlight));
        captured = captures is null ? null : new CaptureSender(options, boot, link, captures, options.CaptureKey!);
        bookkeeper = new Bookkeeper(options, folder, shelf, lastKnown);
        var reporter = new Reporter(options, boot, link, follower);
        loops =
        [
            Task.Run(() => follower.RunAsync(stopping.Token)),
            Task.Run(() => reconciler.RunAsync(lastKnown, changed, settled.Set, stopping.Token)),
            Task.Run(() => bookkeeper.RunAsync(() => reconciler.Current, settled, kept.Set, stopping.Token)),
            Task.Run(() => reporter.RunAsync(() => reconciler.Current, kept, stopping.Token)),
            Task.Run(() => sender.RunAsync(stopping.Token)),
            Task.Run(() => telemetry.RunAsync(stopping.Token)),
            .. captured is null ? Array.Empty<Task>() : [Task.Run(() => captured.RunAsync(stopping.Token))],
        ];
        Ended = Task.WhenAny(loops).Unwrap();
    }

    /// <summary>Where requests are taken down.</summary>
    public RolloutRecorder Recorder { get; }

    public GatewayStanding Current => reconciler.Current;

    /// <summary>Completes when the first loop ends: faulted by a bug, or because all are stopped.</summary>
    public Task Ended { get; }

    /// <summary>To be called after the last request: sends the last events, and ends all models.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
        await stopping.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Only now does nothing come into force any more: above all the epoch that was seen last must be known at the next start.
        bookkeeper.Note(reconciler.Current);
        using (var farewell = new CancellationTokenSource(FarewellLimit, options.Time))
            await Task.WhenAll(sender.FlushAsync(farewell.Token), telemetry.FlushAsync(farewell.Token), captured?.FlushAsync(farewell.Token) ?? Task.CompletedTask);
        await versions.ReleaseAsync();
        link.Dispose();
        folder.Dispose();
    }
}
