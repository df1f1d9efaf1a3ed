using System.Collections.Immutable;
using Slipway.Documents.Checks;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Checks;

/// <summary>What a check has found so far, in order.</summary>
internal sealed class Findings(TimeProvider clock)
{
    private readonly ImmutableArray<CheckResult>.Builder checks = ImmutableArray.CreateBuilder<CheckResult>();

    public ImmutableArray<CheckResult> All => checks.ToImmutable();

    public void Passed(CheckGroup group, string name, string? message = null, double seconds = 0) =>
        checks.Add(new CheckResult(group, name, CheckVerdict.Passed, seconds, message, []));

    public void Skipped(CheckGroup group, string name, string reason) =>
        checks.Add(new CheckResult(group, name, CheckVerdict.Skipped, 0, reason, []));

    /// <param name="faults">At least one.</param>
    /// <param name="exit">That of what found them: what lacks something could not be checked, which is no failure and never a pass.</param>
    public void Bad(CheckGroup group, string name, IReadOnlyList<Fault> faults, ExitCode exit = ExitCode.UnusableInput, double seconds = 0)
    {
        var more = faults.Count > 1 ? $", and {faults.Count - 1} more" : "";
        checks.Add(new CheckResult(group, name, exit == ExitCode.NotThere ? CheckVerdict.Error : CheckVerdict.Failed, seconds, FirstLine(faults[0].Message) + more, [.. faults]));
    }

    public void NotChecked(CheckGroup group, string name, IReadOnlyList<Fault> faults) => Bad(group, name, faults, ExitCode.NotThere);

    /// <summary>One check that is a call: it passes when the call comes back.</summary>
    /// <param name="message">Of what came back; null when there is nothing to say.</param>
    /// <returns>Null when it failed.</returns>
    public T? Of<T>(CheckGroup group, string name, Func<T> call, Func<T, string?> message)
        where T : class
    {
        var started = clock.GetTimestamp();
        try
        {
            var result = call();
            Passed(group, name, message(result), clock.GetElapsedTime(started).TotalSeconds);
            return result;
        }
        catch (SlipwayException failure)
        {
            Bad(group, name, failure.Faults, failure.Exit, clock.GetElapsedTime(started).TotalSeconds);
            return null;
        }
    }

    private static string FirstLine(string text) => text.IndexOf('\n') is >= 0 and var end ? text[..end] : text;
}
