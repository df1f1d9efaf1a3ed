using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>A second run, under strace, of a command that failed and named no file that it missed: many a program says nothing of one.</summary>
/// <remarks>It leaves nothing: same sandbox, another private folder, and what it makes and writes is thrown away. Where it cannot be done, nothing is found.</remarks>
/// <param name="failure">What the first run's end is told by.</param>
/// <param name="first">How the first run ended.</param>
/// <param name="timeLimit">The command's own; null for none.</param>
/// <param name="clock">Ends the second run.</param>
internal sealed class TracedRun(StageFailure failure, ChildExit first, Duration? timeLimit, TimeProvider clock)
{
    /// <summary>A command that ran longer is not run again: people wait for the message.</summary>
    private static readonly TimeSpan longestFirst = TimeSpan.FromMinutes(1);

    /// <summary>Tracing makes it slower; what it looked for until then is seen. Its own limit may be shorter.</summary>
    private static readonly TimeSpan longestSecond = TimeSpan.FromMinutes(2);

    /// <summary>A command that ran longer is not run again in silence.</summary>
    private static readonly TimeSpan noticeable = TimeSpan.FromSeconds(5);

    /// <summary>Whether a second run can do no more than take time: nothing that it does is seen outside.</summary>
    /// <remarks>Not for one with retries, which may fail for nothing, and is to run no oftener than they say; an SQL engine names what it misses.</remarks>
    public static bool IsFor(StageSpec stage, ChildExit first, Isolation isolation) =>
        isolation == Isolation.Sandbox && Strace.IsHere && first.Code is not null && first.Wall <= longestFirst
        && stage is { Sql: null, Retries: 0, Network: StageNetwork.None, Secrets: not { Length: > 0 } };

    /// <param name="make">Makes the private folder.</param>
    /// <returns>What to throw: in it what the second run looked for and was not given, if it did.</returns>
    public async Task<SlipwayException> ExplainAsync(Func<StageFolder> make, Func<StageFolder, EnclosedCommand> command, Action<string> tell, CancellationToken cancellation)
    {
        if (first.Wall > noticeable)
            tell("it failed and named no file that it missed: it runs once more, under strace, to see what it looks for");
        try
        {
            using var folder = make();
            return failure.OfCommand(first, failure.Missed(await LookUpsAsync(command(folder), cancellation)));
        }
        catch (Exception e) when (e is SlipwayException or IOException or UnauthorizedAccessException)
        {
            // An input that changed meanwhile, a full or broken disk, a host that lets nobody trace: it fails as without.
            return failure.OfCommand(first, null);
        }
    }

    private async Task<IEnumerable<string>> LookUpsAsync(EnclosedCommand command, CancellationToken cancellation)
    {
        var trace = Path.Combine(command.SharedFolder, ".trace-" + command.Name);
        var longest = timeLimit is { } limited && limited.Value < longestSecond ? limited.Value : longestSecond;
        using var limit = new CancellationTokenSource(longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using (var log = new CommandLog(trace, [], _ => { }))
        {
            try
            {
                await Enclosure.RunAsync(command with { IsTraced = true }, log, TimeSpan.Zero, either.Token);
            }
            catch (OperationCanceledException)
            {
                // Too slow, or nobody wants to know any more: what it looked for until now is seen.
            }
        }

        return Strace.Missed(trace, command.WorkingDirectory);
    }
}
