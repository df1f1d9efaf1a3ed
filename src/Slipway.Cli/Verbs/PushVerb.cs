using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Store.Oci;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway push [REF] [DESTINATION]</c>: to the team's server, or where the second argument says.</summary>
internal static class PushVerb
{
    /// <summary>Of a model's history, how much is looked through for what became of a version.</summary>
    private const int LatestEntries = 500;

    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string?>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG; default: the project's own name", Arity = ArgumentArity.ZeroOrOne };
        var destination = new Argument<string?>("destination") { Description = "HOST/REPOSITORY:TAG or oci:DIR:TAG; default: the team's server", Arity = ArgumentArity.ZeroOrOne };
        var to = new Option<string?>("--to") { Description = "The same as the second argument, for the project's own bundle", HelpName = "DESTINATION" };
        var force = CopyVerb.ForceOption();
        var planFrom = new Option<string?>("--plan-from") { Description = "Spec that holds the release plan; default: the project's, where it is of the same model", HelpName = "FILE" };
        var planOnly = new Option<bool>("--plan-only") { Description = "Change the model's release plan, and push no bundle" };
        var (reason, server, registries) = (ServerClient.ReasonOption(), ServerClient.ServerOption(), new RegistryAccessOptions());
        reason.Required = false;        // a registry keeps no ledger
        var verb = new Command("push", "Uploads a bundle with its attestations and registers it, or finds that it is registered; hands on the release plan.\nExample: slipway push flight-delay --reason 'retrained on May'")
        {
            reference, destination, to, planFrom, planOnly, reason, server, force,
        };
        registries.AddTo(verb);
        verb.Validators.Add(result =>
        {
            var isElsewhere = result.GetValue(destination) is not null || result.GetValue(to) is not null;
            var isForServer = new Option[] { reason, planFrom, planOnly, server }.Any(option => result.GetResult(option) is { Implicit: false });
            if (result.GetValue(destination) is not null && result.GetValue(to) is not null)
                result.AddError("a destination is named twice");
            else if (isElsewhere && isForServer)
                result.AddError("--reason, --plan-from, --plan-only and --server are for the team's server, and a destination is named");
            else if (!isElsewhere && result.GetResult(reason) is null)
                result.AddError("Option '--reason' is required.");
        });
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            if ((parsed.GetValue(destination) ?? parsed.GetValue(to)) is { } elsewhere)
                return PushElsewhereAsync(shell, parsed.GetValue(reference) ?? shell.LoadSpec().Name, elsewhere, parsed.GetValue(force), registries.Of(parsed), cancellation);
            var (why, where) = (parsed.GetValue(reason)!, parsed.GetValue(server));
            return parsed.GetValue(planOnly)
                ? PushPlanAsync(shell, parsed.GetValue(planFrom), why, where, cancellation)
                : PushAsync(shell, parsed.GetValue(reference) ?? shell.LoadSpec().Name, parsed.GetValue(planFrom), why, where, cancellation);
        });
        return verb;
    }

    private static Task<int> PushElsewhereAsync(Shell shell, string reference, string destination, bool force, RegistryAccess access, CancellationToken cancellation)
    {
        var to = BundleReference.Parse(destination);
        return to.Registry is not null || to.Folder is not null
            ? CopyVerb.CopyAsync(shell, reference, destination, force, access, null, "pushed", cancellation)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-destination", $"'{destination}' is no registry and no layout",
                Help: "write HOST/REPOSITORY:TAG or oci:DIR:TAG; without a destination the bundle goes to the team's server"));
    }

    private static async Task<int> PushAsync(Shell shell, string reference, string? planFrom, string reason, string? where, CancellationToken cancellation)
    {
        var upload = BundleUpload.Of(shell, reference);
        var plan = PlanOf(shell, planFrom, upload.Model);
        using var server = ServerClient.Open(where);
        var before = await PlanAsync(server, upload.Model, cancellation);
        await upload.SendAsync(server, blob => shell.Note($"uploading {blob.Digest.Short}, {new ByteSize(blob.Size)}"), cancellation);
        shell.Note("the server verifies the bundle and judges its gates");
        var request = ServerClient.Post($"/api/v1/models/{upload.Model}/versions", new VersionPush(upload.Bundle, upload.Attestations, plan, reason), RegistryJson.Default.VersionPush);
        var registered = await server.SendAsync(request, RegistryJson.Default.VersionRegistration, BundleUpload.Patience(upload.Blobs.Sum(blob => blob.Size)), cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(registered, RegistryJson.Default.VersionRegistration)!);
        else
            Tell(shell, registered, before, await NextAsync(server, registered, cancellation));
        return (int)(registered.Version.Gates.Verdict == Verdict.Pass ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static void Tell(Shell shell, VersionRegistration registered, PlanVersion? before, string next)
    {
        var version = registered.Version;
        foreach (var note in registered.Notes)
            shell.Note("note: " + note);
        shell.Out.WriteLine($"{(registered.IsNew ? "registered" : "known     ")}  {version.Model} version {version.Number}  {version.Bundle}");
        shell.Out.WriteLine($"gates       {version.Gates.Verdict.Word()}{(version.Gates.Note is { } note2 ? $" ({note2})" : "")}");
        foreach (var gate in version.Gates.Gates)
            shell.Out.WriteLine($"            {gate.Verdict.Word(),-21}  {gate.Name}: {gate.Reason}");
        Tell(shell, registered.Plan, before);
        shell.Out.WriteLine($"next        {next}");
    }

    private static void Tell(Shell shell, PlanVersion plan, PlanVersion? before)
    {
        var isChanged = before is not null && before.Number != plan.Number;
        shell.Out.WriteLine($"plan        number {plan.Number}, set by {plan.SetByName}{(isChanged ? $", in place of number {before!.Number}:" : before is null ? "" : ", as before")}");
        foreach (var line in isChanged ? PlanDifference.Of(before!.Plan, plan.Plan) : [])
            shell.Out.WriteLine($"            {line}");
    }

    /// <summary>What is to be done with it. A version that was registered before may have been live, or be it.</summary>
    private static async Task<string> NextAsync(ServerClient server, VersionRegistration registered, CancellationToken cancellation)
    {
        var version = registered.Version;
        if (version.Gates.Verdict != Verdict.Pass)
            return "nothing: a version whose gates did not pass is kept as evidence, and goes to no channel";
        if (!registered.IsNew)
        {
            var history = await server.GetAsync($"/api/v1/models/{version.Model}/history?limit={LatestEntries}", RolloutJson.Default.ImmutableArrayHistoryEntry, cancellation);
            if (history.Where(entry => IsTakenBack(entry, version.Number) || IsLive(entry, version.Number)).DistinctBy(entry => entry.Channel).FirstOrDefault(entry => IsTakenBack(entry, version.Number)) is { } taken)
                return $"nothing: version {version.Number} was taken back from {taken.Channel} {RolloutText.Time(taken.At)}: see rollout {taken.Rollout} (slipway history {version.Model} --channel {taken.Channel})";
            var channels = await server.GetAsync($"/api/v1/models/{version.Model}/channels", RegistryJson.Default.ImmutableArrayChannelState, cancellation);
            if (channels.Where(channel => channel.Live?.Number == version.Number).Select(channel => channel.Channel).ToArray() is { Length: > 0 } live)
                return $"nothing: version {version.Number} is live on {string.Join(" and ", live)}";
        }

        return $"slipway promote {version.Model}@{version.Number} --to staging --reason TEXT";
    }

    /// <summary>By the judge or a person while it was released, or by a person once it was live.</summary>
    private static bool IsTakenBack(HistoryEntry entry, int version) =>
        entry.To.Number == version && entry.Action is "rollout.rolled-back" or "rollout.rolling-back" || entry.From?.Number == version && entry.Action == "rollout.returned";

    private static bool IsLive(HistoryEntry entry, int version) => entry.To.Number == version && entry.Action is "rollout.promoted" or "rollout.returned";

    /// <summary>The model's plan now; null before the first.</summary>
    private static async Task<PlanVersion?> PlanAsync(ServerClient server, string model, CancellationToken cancellation) =>
        (await server.GetAsync($"/api/v1/models/{model}/plans", RegistryJson.Default.ImmutableArrayPlanVersion, cancellation)).FirstOrDefault();

    private static async Task<int> PushPlanAsync(Shell shell, string? planFrom, string reason, string? where, CancellationToken cancellation)
    {
        var spec = SpecParser.Load(shell.Folder, planFrom ?? shell.SpecFile);
        WarnOfRemedies(shell, spec.Release);
        using var server = ServerClient.Open(where);
        var before = await PlanAsync(server, spec.Name, cancellation);
        var plan = await server.PostAsync(
            $"/api/v1/models/{spec.Name}/plans", new PlanRequest(spec.Release ?? ReleasePlan.Default, reason), RegistryJson.Default.PlanRequest, RegistryJson.Default.PlanVersion, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(plan, RegistryJson.Default.PlanVersion)!);
            return (int)ExitCode.Done;
        }

        Tell(shell, plan, before);
        shell.Out.WriteLine("next        what is promoted from now on goes by it, and how the model is watched does at once; what is approved already is released by the plan that was approved");
        return (int)ExitCode.Done;
    }

    /// <summary>A remedy is a path in the project or an https address. Whoever is called at night should find the file; that it is missing keeps no plan back.</summary>
    private static void WarnOfRemedies(Shell shell, ReleasePlan? plan)
    {
        foreach (var alert in plan?.Monitor?.Alerts ?? [])
        {
            if (alert.Remedy is { } remedy && !remedy.StartsWith("https://", StringComparison.Ordinal) && !File.Exists(Path.Combine(shell.Folder, remedy)))
                shell.Warn($"the remedy of alert '{alert.Name}' is {remedy}, which is no file in the project: write it, or name an https address");
        }
    }

    /// <summary>Null keeps the server's: the project is another model's, or there is none, or it says nothing of a release.</summary>
    private static ReleasePlan? PlanOf(Shell shell, string? planFrom, string model)
    {
        if (planFrom is null && !File.Exists(Path.Combine(shell.Folder, shell.SpecFile)))
            return null;
        var spec = SpecParser.Load(shell.Folder, planFrom ?? shell.SpecFile);
        if (spec.Name == model)
        {
            WarnOfRemedies(shell, spec.Release);
            return spec.Release;
        }

        return planFrom is null
            ? null
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("plan-of-another", $"the spec is of the model '{spec.Name}', and the bundle of '{model}'", planFrom, Help: "name the spec of the same model"));
    }
}
