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

    /// <summary>Runs that are asked, the newest: a record is seldom older than these.</summary>
    private const int MostRuns = 50;

    private readonly Dictionary<Digest, List<(Digest Step, string Name)>> owners = [];
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
                Add(key, $"{record!.Step.Stage}.{name}", record.Step.Outputs.GetValueOrDefault(name) ?? name, artifact, content);
        }

        Needed = [.. owners.Keys];
        // What a record no longer tells, the runs may.
        foreach (var id in RunRecord.Ids(project).Take(MostRuns))
        {
            if (Read(project, id) is not { } run)
            {
                Findings.Add(new Finding(Trouble.DamagedRun, id, "has a record that cannot be read: what it keeps is not known", [], "`slipway doctor --repair` sets the record aside"));
                continue;
            }

            foreach (var (stage, output) in run.Stages.SelectMany(stage => stage.Outputs, (stage, output) => (stage, output)).Where(each => !owners.ContainsKey(each.output.Value.Digest)))
                Add(stage.Key, $"{stage.Name}.{output.Key} of run {run.Id}", output.Key, output.Value, content);
        }
    }

    /// <summary>Records that cannot be read.</summary>
    public List<Finding> Findings { get; } = [];

    public int Records { get; private set; }

    /// <summary>Every object that a record leads to.</summary>
    public ImmutableArray<Digest> Needed { get; }

    /// <summary>The outputs that an object is, or is a file of.</summary>
    public ImmutableArray<string> Of(Digest digest) =>
        [.. owners.GetValueOrDefault(digest, []).Select(owner => owner.Name).Distinct().Order(StringComparer.Ordinal).Take(MostNamed)];

    public string Remedy(Digest digest) => owners.GetValueOrDefault(digest) switch
    {
        null => "nothing needs it: `slipway gc --delete` removes it",
        var steps when steps.Any(owner => newest.Contains(owner.Step)) => "`slipway run` repeats the stage that made it",
        _ => "an earlier run made it: running with that run's inputs makes it again, and `slipway gc --delete` forgets it once no kept run needs it",
    };

    /// <summary>Keys of the records that lead to one of these objects.</summary>
    public IEnumerable<Digest> KeysOf(IEnumerable<Digest> lost) => lost.SelectMany(digest => owners.GetValueOrDefault(digest, [])).Select(owner => owner.Step).Distinct();

    private void Add(Digest step, string output, string path, Artifact artifact, ContentStore content)
    {
        Add(artifact.Digest, step, $"{output} ({path})");
        if (artifact.Kind != ArtifactKind.Folder || !content.Contains(artifact.Digest))
            return;
        try
        {
            foreach (var file in content.ReadTree(artifact.Digest).Files)
                Add(file.Digest, step, $"{output} ({path.TrimEnd('/')}/{file.Path})");
        }
        catch (SlipwayException)
        {
            // The list itself is damaged, and found so: which files it named is not known.
        }
    }

    private void Add(Digest digest, Digest step, string name)
    {
        if (!owners.TryGetValue(digest, out var list))
            owners[digest] = list = [];
        list.Add((step, name));
    }

    /// <returns>Null where there is none, or it cannot be read.</returns>
    internal static RunRecord? Read(ProjectFolder project, string id)
    {
        try
        {
            return RunRecord.Read(project, id);
        }
        catch (SlipwayException)
        {
            return null;        // it tells nothing here; who needs it says that it cannot be read
        }
    }
}
