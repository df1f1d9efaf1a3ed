using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>Follows a rollout to its end, and tells what changes line by line. Whoever stops following stops nothing.</summary>
internal sealed class RolloutFollower(Shell shell, ServerClient server)
{
    /// <summary>Between two looks.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    /// <summary>Evidence grows with every request; people read it now and then, and whenever the verdict changes.</summary>
    private static readonly TimeSpan EvidenceEvery = TimeSpan.FromSeconds(5);

    private string? standing, waiting;
    private JudgeReport? told;
    private int notes;

    /// <summary>The rollout when it is over.</summary>
    public async Task<RolloutView> FollowAsync(RolloutState rollout, CancellationToken cancellation)
    {
        var path = PathOf(rollout);
        var isSilent = false;
        while (true)
        {
            try
            {
                var view = await server.GetAsync(path, RolloutJson.Default.RolloutView, cancellation);
                if (isSilent)
                    Say("the server answers again");
                isSilent = false;
                Tell(view);
                if (view.State.IsOver)
                    return view;
            }
            catch (SlipwayException e) when (e.Faults is [{ Code: "server-unreachable" }, ..])
            {
                if (!isSilent)
                    Say($"{e.Message}; still trying, and gateways go on with what they have");
                isSilent = true;
            }

            await Task.Delay(Every, cancellation);
        }
    }

    public static string PathOf(RolloutState rollout) => $"/api/v1/models/{rollout.Model}/channels/{rollout.Channel}/rollouts/{rollout.Id}";

    private void Tell(RolloutView view)
    {
        foreach (var note in view.State.Notes.Skip(notes))
            Say("note: " + note);
        notes = view.State.Notes.Length;
        // How it ends is the verb's answer.
        if (!view.State.IsOver && RolloutText.Standing(view.State) is var line && line != standing)
            Say(standing = line);
        if (view.Report is { } report && IsNews(report))
            Say("  " + RolloutText.Evidence(told = report));
        var waits = string.Join("; ", view.Waiting);
        // What lacks in evidence is in its own line.
        if (waits != waiting && waits.Length > 0 && view.Report?.Missing.SequenceEqual(view.Waiting) != true)
            Say("  waits for: " + waits);
        waiting = waits;
    }

    private bool IsNews(JudgeReport report) =>
        told is null || report.Verdict != told.Verdict || report.Step != told.Step || report.At != told.At && report.At - told.At >= EvidenceEvery.TotalMilliseconds;

    /// <summary>Progress: what the verb answers in the end goes to stdout, this does not.</summary>
    private void Say(string text)
    {
        if (!shell.Json)
            shell.Note(text);
    }
}
