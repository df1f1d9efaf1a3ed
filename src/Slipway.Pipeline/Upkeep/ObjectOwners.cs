using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Upkeep;

/// <summary>Which stages' outputs the objects of a project are.</summary>
internal sealed class ObjectOwners
{
    /// <summary>Owners that are named; further ones are the same content again.</summary>
    private const int MostNamed = 5;

    private readonly Dictionary<Digest, List<(StepKeyDocument Step, string Name)>> owners = [];
    private readonly HashSet<Digest> newest;

    public ObjectOwners(ProjectFolder project)
    {
        var (steps, content) = (new StepStore(project), new ContentStore(project.Objects));
        newest = [.. steps.NewestKeys()];
        foreach (var (key, record) in steps.All())
        {
            Records++;
            if (record is null)
                Findings.Add(new Finding(Trouble.DamagedRecord, key, "cannot be read, or is another step's", [], "the stage runs again when it is needed; `slipway doctor --repair` deletes the record"));
            foreach (var (name, artifact) in record?.Outputs ?? ImmutableSortedDictionary<string, Artifact>.Empty)
                Add(record!.Step, name, artifact, content);
        }
    }

    /// <summary>Records that cannot be read.</summary>
    public List<Finding> Findings { get; } = [];

    public int Records { get; private set; }

    /// <summary>Every object that a record leads to.</summary>
    public IEnumerable<Digest> Needed => owners.Keys;

    /// <summary>The outputs that an object is, or is a file of.</summary>
    public ImmutableArray<string> Of(Digest digest) =>
        [.. owners.GetValueOrDefault(digest, []).Select(owner => owner.Name).Distinct().Order(StringComparer.Ordinal).Take(MostNamed)];

    public string Remedy(Digest digest) => owners.GetValueOrDefault(digest) switch
    {
        null => "nothing needs it: `slipway gc --delete` removes it",
        var steps when steps.Any(owner => newest.Contains(owner.Step.Key())) => "`slipway run` repeats the stage that made it",
        _ => "an earlier run made it: running with that run's inputs makes it again, and `slipway gc --delete` forgets it once no kept run needs it",
    };

    /// <summary>Keys of the records that lead to one of these objects.</summary>
    public IEnumerable<Digest> KeysOf(IEnumerable<Digest> lost) => lost.SelectMany(digest => owners.GetValueOrDefault(digest, [])).Select(owner => owner.Step.Key()).Distinct();

    private void Add(StepKeyDocument step, string output, Artifact artifact, ContentStore content)
    {
        var path = step.Outputs.GetValueOrDefault(output) ?? output;
        Add(artifact.Digest, step, $"{step.Stage}.{output} ({path})");
        if (artifact.Kind != ArtifactKind.Folder || !content.Contains(artifact.Digest))
            return;
        try
        {
            foreach (var file in content.ReadTree(artifact.Digest).Files)
                Add(file.Digest, step, $"{step.Stage}.{output} ({path}{file.Path})");
        }
        catch (SlipwayException)
        {
            // The list itself is damaged, and found so: which files it named is not known.
        }
    }

    private void Add(Digest digest, StepKeyDocument step, string name)
    {
        if (!owners.TryGetValue(digest, out var list))
            owners[digest] = list = [];
        list.Add((step, name));
    }
}
