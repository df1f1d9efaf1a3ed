using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Checks;
using Slipway.Pipeline.Upkeep;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway gc</c>.</summary>
internal static class GcVerb
{
    private const int KeptRuns = 10;

    public static Command Build(GlobalOptions global)
    {
        var delete = new Option<bool>("--delete") { Description = "Delete it; without this, only say what would go" };
        var keep = new Option<int>("--keep-runs") { Description = "Keep what the newest N runs gave", HelpName = "N", DefaultValueFactory = _ => KeptRuns };
        var verb = new Command("gc", "Finds stage outputs and bundles that no tag, no lock and none of the newest runs need.\nExample: slipway gc --delete") { delete, keep };
        verb.SetAction((parsed, cancellation) => CollectAsync(global.Shell(parsed), parsed.GetRequiredValue(keep), parsed.GetValue(delete), cancellation));
        return verb;
    }

    private static async Task<int> CollectAsync(Shell shell, int keepRuns, bool delete, CancellationToken cancellation)
    {
        if (keepRuns < 0)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--keep-runs is {keepRuns}, allowed are 0 and more"));
        if (!Directory.Exists(shell.Project.State))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-project", $"{shell.Folder} has no .slipway: nothing ever ran here", shell.Folder, Help: "name the project's folder with -C DIR"));
        var garbage = await Of(shell.Project, keepRuns);
        // Of checks, what the newest one gave is what the next one is quick by.
        if (new CheckFolder(shell.Project).Project is var checks && Directory.Exists(checks.State))
            garbage = garbage.With(await Of(checks, 0));
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["deleted"] = delete,
                ["bytes"] = garbage.Bytes,
                ["bundles"] = Listed(garbage.Bundles),
                ["steps"] = Listed(garbage.Steps),
                ["objects"] = Listed(garbage.Objects),
                ["blobs"] = Listed(garbage.Blobs),
            });
            return (int)ExitCode.Done;
        }

        foreach (var bundle in garbage.Bundles)
            shell.Out.WriteLine($"bundle    {bundle}   has no tag, and {(keepRuns == 0 ? "no run is to keep it" : keepRuns == 1 ? "the newest run did not make it" : $"none of the newest {keepRuns} runs made it")}");
        shell.Out.WriteLine(garbage.IsEmpty
            ? "nothing to delete"
            : $"{(delete ? "deleted" : "would delete")}  {Count(garbage.Objects.Length, "object")}, {Count(garbage.Blobs.Length, "blob")}, {Count(garbage.Steps.Length, "step record")}, {Count(garbage.Bundles.Length, "bundle")}: {new ByteSize(garbage.Bytes)}");
        if (!garbage.IsEmpty && !delete)
            shell.Out.WriteLine($"next      slipway gc --delete{(keepRuns == KeptRuns ? "" : $" --keep-runs {keepRuns}")}");
        return (int)ExitCode.Done;

        async Task<Garbage> Of(ProjectFolder project, int keep) =>
            delete ? await GarbageCollection.CollectAsync(project, keep, shell.Note, cancellation) : GarbageCollection.Find(project, keep);
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static JsonArray Listed(IEnumerable<Digest> digests) => [.. digests.Select(digest => (JsonNode)digest.ToString())];
}
