using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Control;

/// <summary>What this gateway remembers of a version that its process died with.</summary>
/// <param name="Model">The bundle's own name for it.</param>
/// <param name="Deaths">Since the version last ran for <see cref="CrashNotes.Forgiven"/> without any.</param>
/// <param name="Quarantined">Why it is loaded here only as the stable version; null while it is not.</param>
/// <param name="Told">The rollout that the crash was told to, and that acknowledged it; null for none.</param>
internal sealed record CrashNote(string Model, Digest Bundle, int Deaths, string? Quarantined, string? Told);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CrashNote))]
internal sealed partial class CrashJson : JsonSerializerContext;

/// <summary>Lays the death of an earlier process to versions that were in it, and remembers it. Thread-safe.</summary>
/// <remarks>
/// The rule. A version that was not stable is quarantined when the process died in the middle of its load or of one of its runs; a
/// candidate also for the <see cref="MaxDeaths"/>th time beside it, since memory that it spoiled may kill later. A version that is kept
/// warm is the way back, and gets no traffic: what dies beside it is not laid to it. The stable version is never
/// quarantined, since nothing else could answer: when it alone was running, its next load waits, longer after every death. A restart of
/// the machine is laid to nobody.
/// </remarks>
internal sealed class CrashNotes
{
    /// <summary>More deaths beside one version than bad luck, or an operator's kill -9, commonly brings about.</summary>
    public const int MaxDeaths = 5;

    /// <summary>Notes kept; the oldest give way.</summary>
    private const int MaxNotes = 64;

    /// <summary>A version that ran this long is not what the deaths before came from.</summary>
    public static readonly TimeSpan Forgiven = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromMinutes(1);

    private readonly string folder;
    private readonly Lock changing = new();
    private volatile ImmutableDictionary<Digest, CrashNote> notes;

    private CrashNotes(string folder, ImmutableDictionary<Digest, CrashNote> notes) => (this.folder, this.notes) = (folder, notes);

    public IEnumerable<CrashNote> Quarantined => notes.Values.Where(note => note.Quarantined is not null);

    /// <summary>Reads the notes, and adds what the marks of an earlier process say.</summary>
    /// <param name="last">What that process had in force; null when unknown.</param>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    public static CrashNotes Open(string folder, DesiredState? last, IReadOnlyList<CrashMark> marks)
    {
        var opened = new CrashNotes(folder, ReadAll(folder));
        var stable = last is null ? [] : last.Models.Select(model => model.Stable?.Bundle).OfType<Digest>().ToHashSet();
        var warm = last is null ? [] : last.Models.SelectMany(model => model.Warm).Select(version => version.Bundle).ToHashSet();
        var accused = marks.Where(mark => mark.Moment != CrashMoment.Beside).ToList();
        var hasSuspect = accused.Exists(mark => !stable.Contains(mark.Bundle));
        foreach (var mark in marks)
        {
            var before = opened.Find(mark.Bundle) ?? new CrashNote(mark.Model, mark.Bundle, 0, null, null);
            var deaths = before.Deaths + 1;
            if (mark.Moment == CrashMoment.Beside && warm.Contains(mark.Bundle))
                continue;
            if (!stable.Contains(mark.Bundle))
                opened.Write(before with { Deaths = deaths, Quarantined = before.Quarantined ?? Reason(mark.Moment, deaths) });
            else if (mark.Moment != CrashMoment.Beside && !hasSuspect)
                opened.Write(before with { Deaths = deaths });
        }

        return opened;
    }

    public CrashNote? Find(Digest bundle) => notes.GetValueOrDefault(bundle);

    /// <summary>How long the load of a stable version waits.</summary>
    public TimeSpan PauseBefore(Digest bundle) =>
        Find(bundle) is not { Deaths: > 0 and var deaths } ? TimeSpan.Zero
        : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, ShortestPause.Ticks << Math.Min(deaths - 1, 10)));

    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    public void Write(CrashNote note)
    {
        lock (changing)
        {
            AtomicFile.Write(PathOf(note.Bundle), CanonicalJson.Serialize(note, CrashJson.Default.CrashNote));
            notes = notes.SetItem(note.Bundle, note);
        }
    }

    /// <summary>The version ran well since; one that is quarantined stays so.</summary>
    public void Forgive(Digest bundle)
    {
        lock (changing)
        {
            if (Find(bundle) is not { Quarantined: null })
                return;
            File.Delete(PathOf(bundle));
            notes = notes.Remove(bundle);
        }
    }

    private string PathOf(Digest bundle) => Path.Combine(folder, bundle.Hex);

    private static string? Reason(CrashMoment moment, int deaths) => moment switch
    {
        CrashMoment.Loading => "the gateway's process ended while it loaded this version",
        CrashMoment.Running => "the gateway's process ended while this version answered",
        _ => deaths >= MaxDeaths ? $"the gateway's process ended {deaths} times while this version was loaded" : null,
    };

    private static ImmutableDictionary<Digest, CrashNote> ReadAll(string folder)
    {
        var read = ImmutableDictionary.CreateBuilder<Digest, CrashNote>();
        foreach (var file in new DirectoryInfo(folder).GetFiles().OrderByDescending(file => file.LastWriteTimeUtc))
        {
            if (read.Count < MaxNotes && Read(file.FullName) is { } note)
                read[note.Bundle] = note;
            else
                file.Delete();
        }

        return read.ToImmutable();
    }

    private static CrashNote? Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), CrashJson.Default.CrashNote);
        }
        catch (JsonException)
        {
            return null;        // none of ours, or damaged: at worst a version is tried once more
        }
    }
}
