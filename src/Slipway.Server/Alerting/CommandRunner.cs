using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>Runs the commands that retraining rules started: few at once, without the server's environment, and for no longer than a limit.</summary>
/// <param name="address">Of this server, once it listens.</param>
internal sealed class CommandRunner(Database database, RetrainChanges changes, ServerOptions options, Func<Uri> address) : IAsyncDisposable
{
    /// <summary>Training takes all of a machine: more starts wait.</summary>
    public const int MostAtOnce = 2;

    /// <summary>Then a command is ended with all that it started.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(6);

    /// <summary>Between SIGTERM and SIGKILL.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>How often the output's size is looked at.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of output that are kept while it runs: what is more begins anew, since the last of it is what tells.</summary>
    private const long MostOutput = 16 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, Task> running = new();
    private readonly CancellationTokenSource stopping = new();

    private long Now => options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Starts what waits, while there is room; and records as interrupted what ran under a server that is gone.</summary>
    /// <param name="epoch">Of the lease that this server holds.</param>
    public async Task TurnAsync(long epoch, CancellationToken cancellation)
    {
        if (await database.ReadAsync(session => RetrainTable.RunningAsync(session, epoch, under: false), cancellation) is { IsEmpty: false } orphans)
        {
            foreach (var orphan in orphans.Where(orphan => !running.ContainsKey(orphan.Run.Id)))
                await StoreAsync(orphan, RetrainOutcome.Interrupted, "the server that ran it ended", null, cancellation);
        }

        // Asked before what runs is read: what ends in between would look as if it had not begun.
        var begun = running.Keys.ToHashSet();
        if (begun.Count >= MostAtOnce)
            return;
        foreach (var waiting in await database.ReadAsync(session => RetrainTable.RunningAsync(session, epoch, under: true), cancellation))
        {
            if (begun.Count < MostAtOnce && begun.Add(waiting.Run.Id))
                running[waiting.Run.Id] = Task.Run(() => RunAsync(waiting), CancellationToken.None);
        }
    }

    /// <summary>Ends what runs, and records that.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(running.Values);
        stopping.Dispose();
    }

    private async Task RunAsync(StartedRun started)
    {
        var folder = Path.Combine(options.Folder, "triggers", started.Run.Id);
        try
        {
            var (outcome, detail) = await RunAsync(started, folder);
            await StoreAsync(started, outcome, detail, Tail(folder), CancellationToken.None);
        }
        catch (Exception e)
        {
            options.Log($"{started.Model} {started.Channel}: what became of retraining {started.Rule} cannot be stored, and it will be told as interrupted: {e.Message}");
        }
        finally
        {
            Remove(folder);
            running.TryRemove(started.Run.Id, out _);
        }
    }

    private async Task<(RetrainOutcome Outcome, string? Detail)> RunAsync(StartedRun started, string folder)
    {
        if (options.Triggers.FirstOrDefault(trigger => trigger.Name == started.Run.Trigger) is not { Command: { } command } trigger)
            return (RetrainOutcome.Failed, "this server has no command of that name");
        try
        {
            AtomicFile.CreatePrivateFolder(folder);
            var told = Path.Combine(folder, "event.json");
            AtomicFile.WriteSecret(told, Encoding.UTF8.GetBytes(started.Event));
            var output = OutputOf(folder);
            var environment = new Dictionary<string, string> { ["PATH"] = trigger.Path, ["HOME"] = trigger.Home, ["SLIPWAY_EVENT"] = told, ["SLIPWAY_SERVER"] = address().ToString() };
            await using var child = ChildProcess.Start(new ChildCommand([command], folder, environment, output, output));
            return await WatchAsync(child, output);
        }
        catch (Exception e) when (e is SlipwayException or IOException or UnauthorizedAccessException)
        {
            return (RetrainOutcome.Failed, e.Message);
        }
    }

    private async Task<(RetrainOutcome Outcome, string? Detail)> WatchAsync(ChildProcess child, string output)
    {
        var begun = options.Time.GetTimestamp();
        while (!child.Exited.IsCompleted)
        {
            if (stopping.IsCancellationRequested)
            {
                await child.StopAsync(Grace);
                return (RetrainOutcome.Interrupted, "the server was stopped");
            }

            if (options.Time.GetElapsedTime(begun) >= Longest)
            {
                await child.StopAsync(Grace);
                return (RetrainOutcome.TimedOut, $"it ran for {Longest.TotalHours:0} h, and was ended");
            }

            Bound(output);
            await Task.WhenAny(child.Exited, Task.Delay(Look, options.Time, stopping.Token));
        }

        var exit = await child.Exited;
        return exit.Succeeded ? (RetrainOutcome.Succeeded, null) : (RetrainOutcome.Failed, $"the command {exit}");
    }

    /// <summary>The command appends, so what is cut off makes room.</summary>
    private static void Bound(string output)
    {
        if (new FileInfo(output) is { Exists: true, Length: > MostOutput })
        {
            using var file = File.OpenWrite(output);
            file.SetLength(0);
        }
    }

    private async Task StoreAsync(StartedRun started, RetrainOutcome outcome, string? detail, string? tail, CancellationToken cancellation)
    {
        var ended = started.Run with { EndedAt = Now, Outcome = outcome, Detail = detail, Tail = tail };
        if (await database.ChangeAsync(session => changes.EndAsync(session, started, ended), cancellation) is not { } told)
            return;
        options.Log(told);
        foreach (var line in (tail ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(10))
            options.Log($"  {started.Run.Trigger}: {line}");
    }

    /// <summary>The last of what the command wrote, as people can be shown it.</summary>
    private static string? Tail(string folder)
    {
        try
        {
            using var file = File.OpenRead(OutputOf(folder));
            // A character has at most four bytes.
            file.Seek(-Math.Min(file.Length, 4L * RetrainRun.LongestTail), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            var text = new string([.. reader.ReadToEnd().Where(c => !char.IsControl(c) || c is '\n' or '\t')]).Trim();
            return text.Length == 0 ? null : text.Length > RetrainRun.LongestTail ? text[^RetrainRun.LongestTail..] : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string OutputOf(string folder) => Path.Combine(folder, "output");

    private static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It holds nothing that anybody reads; the next start removes it.
        }
    }
}
