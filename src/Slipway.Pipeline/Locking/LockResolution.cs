using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Locking;

/// <summary>How the inputs stand to their pins.</summary>
/// <param name="Found">What everything is now: what <c>slipway lock</c> writes.</param>
/// <param name="Effective">What the run uses, and its bundle records: the pinned baseline, and everything else as found.</param>
/// <param name="Pinned">The file's content; null when there was none.</param>
/// <param name="Differences">All of them, data first; empty when the file says what is.</param>
public sealed record LockResolution(ProjectLock Found, ProjectLock Effective, ProjectLock? Pinned, ImmutableArray<LockDifference> Differences)
{
    /// <summary>What the run writes to the file; null when the file stays as it is.</summary>
    /// <remarks>A run pins what was not pinned and drops pins of nothing; it never changes a pin that is there.</remarks>
    public ProjectLock? ToWrite => Pinned switch
    {
        null => Found,
        _ when Differences.All(difference => difference.Kind is not (LockDifferenceKind.NotPinned or LockDifferenceKind.Stale)) => null,
        _ => new ProjectLock(
            Pinned.Version,
            Found.Data.SetItems(Pinned.Data.Where(pin => Found.Data.ContainsKey(pin.Key))),
            Found.Environments.SetItems(Pinned.Environments.Where(pin => Found.Environments.ContainsKey(pin.Key))),
            Effective.Baseline),
    };

    /// <summary>What a run shows and goes on with.</summary>
    public IEnumerable<LockDifference> Warnings => Differences.Where(difference => difference.Kind != LockDifferenceKind.Data);

    /// <summary>Stops a run whose data are not those that are pinned. To be called after validation, which may say what is wrong with them.</summary>
    /// <exception cref="SlipwayException">Exit 2, one fault for each dataset.</exception>
    public void RequirePinnedData(string lockFile)
    {
        var faults = Differences.Where(difference => difference.Kind == LockDifferenceKind.Data)
            .Select(difference => new Fault("data-differs-from-lock", difference.Message, lockFile, Help: "if these data are meant, `slipway lock` accepts them; otherwise put the pinned ones back"))
            .ToList();
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }
}

/// <param name="Name">Of the dataset or environment; <c>baseline</c>.</param>
/// <param name="Message">In words, without a final stop.</param>
public sealed record LockDifference(LockDifferenceKind Kind, string Name, string Message);

/// <summary>What differs, and so what a run does about it.</summary>
public enum LockDifferenceKind
{
    /// <summary>Other data than pinned: the run stops.</summary>
    Data,

    /// <summary>Other packages on this host: fingerprinted, not sealed; the run goes on and records what it used.</summary>
    Environment,

    /// <summary>The baseline's name leads elsewhere now: the run judges against the pinned one.</summary>
    Baseline,

    /// <summary>The run pins it.</summary>
    NotPinned,

    /// <summary>A pin of something that the spec no longer has: the run drops it.</summary>
    Stale,
}
