using System.Collections.Concurrent;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Telemetry;
using Slipway.Primitives.Bytes;

namespace Slipway.Gateway.Control;

/// <summary>Tells each crash to each rollout of the version: to the one that it happened in, and to any that tries the version again. Thread-safe.</summary>
/// <remarks>A note remembers the rollout only once the server has the event: a gateway that is killed before tells it again.</remarks>
internal sealed class CrashReports(CrashNotes notes, RolloutRecorder recorder)
{
    private readonly ConcurrentDictionary<string, Digest> told = new(StringComparer.Ordinal);

    public void Tell(DesiredState target)
    {
        foreach (var rollout in target.Models.Select(model => model.Rollout).OfType<RolloutRoute>())
        {
            if (notes.Find(rollout.Candidate.Bundle) is { Quarantined: not null } note && note.Told != rollout.Id && told.TryAdd(rollout.Id, note.Bundle))
                recorder.ReportCrash(rollout, Arm.Candidate);
        }
    }

    /// <summary>The server has this batch.</summary>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3): the crash is told again at the next start.</exception>
    public void Delivered(EventBatch batch)
    {
        foreach (var rollout in batch.Rollouts.Where(events => events.Bad.Any(bad => bad.Kind == BadKind.Crash)))
        {
            if (told.TryGetValue(rollout.Rollout, out var bundle) && notes.Find(bundle) is { } note)
                notes.Write(note with { Told = rollout.Rollout });
        }
    }
}
