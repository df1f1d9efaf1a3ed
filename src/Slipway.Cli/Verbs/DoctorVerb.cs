using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Pipeline.Upkeep;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway doctor</c>.</summary>
internal static class DoctorVerb
{
    public static Command Build(GlobalOptions global)
    {
        var repair = new Option<bool>("--repair") { Description = "Set damaged content aside, and forget what led to it, so that the next run makes it again" };
        var verb = new Command("doctor", "Reads all that is stored for this project, and names what is damaged or missing, what it belongs to, and how it comes back.\nExample: slipway doctor") { repair };
        verb.SetAction((parsed, cancellation) => ExamineAsync(global.Shell(parsed), parsed.GetValue(repair), cancellation));
        return verb;
    }

    private static async Task<int> ExamineAsync(Shell shell, bool repair, CancellationToken cancellation)
    {
        if (!Directory.Exists(shell.Project.State))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-project", $"{shell.Folder} has no .slipway: nothing ever ran here", shell.Folder, Help: "name the project's folder with -C DIR"));
        var (report, done, after) = repair ? await StoreRepair.RepairAsync(shell.Project, shell.Note, cancellation) : Alone(StoreExamination.Examine(shell.Project, cancellation));
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = after.IsSound ? "pass" : "fail",
                ["objects"] = report.Objects,
                ["records"] = report.Records,
                ["blobs"] = report.Blobs,
                ["findings"] = new JsonArray([.. report.Findings.Select(Render)]),
                ["left"] = repair ? new JsonArray([.. after.Findings.Select(Render)]) : null,
                ["done"] = new JsonArray([.. done.Select(text => (JsonNode)text)]),
            });
        }
        else
        {
            foreach (var finding in report.Findings)
            {
                shell.Out.WriteLine($"{Word(finding.Kind)} {finding.Name} {finding.Flaw}");
                foreach (var owner in finding.BelongsTo)
                    shell.Out.WriteLine($"  is of   {owner}");
                shell.Out.WriteLine($"  → {finding.Remedy}");
            }

            foreach (var text in done)
                shell.Out.WriteLine(text);
            foreach (var finding in repair ? after.Findings : [])
                shell.Out.WriteLine($"left      {Word(finding.Kind)} {finding.Name} {finding.Flaw}\n  → {finding.Remedy}");
            var looked = $"{after.Objects} objects, {after.Records} step records and {after.Blobs} blobs";
            shell.Out.WriteLine(after.IsSound ? $"sound     {looked} are what their names say" : $"unsound   {after.Findings.Length} found among {looked}{(repair ? "" : "; `slipway doctor --repair` mends or sets aside what it can")}");
        }

        return (int)(after.IsSound ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static (StoreReport, ImmutableArray<string>, StoreReport) Alone(StoreReport report) => (report, [], report);

    private static JsonNode Render(Finding finding) => new JsonObject
    {
        ["kind"] = Word(finding.Kind).Replace(' ', '-'),
        ["name"] = finding.Name,
        ["flaw"] = finding.Flaw,
        ["belongsTo"] = new JsonArray([.. finding.BelongsTo.Select(owner => (JsonNode)owner)]),
        ["remedy"] = finding.Remedy,
    };

    private static string Word(Trouble kind) => kind switch
    {
        Trouble.DamagedObject => "damaged object",
        Trouble.MissingObject => "missing object",
        Trouble.DamagedRecord => "damaged step record",
        Trouble.DamagedRun => "damaged run",
        Trouble.DamagedBlob => "damaged blob",
        Trouble.MissingBlob => "missing blob",
        Trouble.DamagedLayout => "damaged layout",
        Trouble.DamagedManifest => "damaged manifest",
        _ => throw new System.Diagnostics.UnreachableException($"trouble {kind}"),
    };
}
