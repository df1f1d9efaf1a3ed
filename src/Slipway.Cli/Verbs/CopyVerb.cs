using System.CommandLine;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway copy SOURCE DESTINATION</c>.</summary>
internal static class CopyVerb
{
    public static Command Build(GlobalOptions global)
    {
        var source = new Argument<string>("source") { Description = "HOST/REPOSITORY:TAG, oci:DIR:TAG, a digest or tag of this project, or a registered version" };
        var destination = new Argument<string>("destination") { Description = "HOST/REPOSITORY:TAG or oci:DIR:TAG" };
        var (force, server, registries) = (ForceOption(), ServerClient.ServerOption(), new RegistryAccessOptions());
        var verb = new Command(
            "copy",
            "Copies a bundle with its attestations between registries and layouts. Checks every digest, and no signature.\n"
            + "Example: slipway copy registry.example.org/team/flight-delay:3 oci:backup:3") { source, destination, force, server };
        registries.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var (from, to) = (parsed.GetRequiredValue(source), parsed.GetRequiredValue(destination));
            return CopyAsync(global.Shell(parsed), from, to, parsed.GetValue(force), registries.Of(parsed), parsed.GetValue(server), "copied", cancellation);
        });
        return verb;
    }

    public static Option<bool> ForceOption() => new("--force") { Description = "Let a tag name something else than before: another bundle, or variants in place of one" };

    /// <param name="done">The first line's word.</param>
    public static async Task<int> CopyAsync(
        Shell shell, string from, string to, bool force, RegistryAccess access, string? server, string done, CancellationToken cancellation)
    {
        if (access.Username is not null && Host(from) is { } one && Host(to) is { } other && one != other)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-argument", $"--username is given, and there are two registries: {one} and {other}", Help: "log in to both with `docker login`"));
        using var source = await TransferSource.FindAsync(shell, from, access, server, cancellation);
        using var destination = await TransferDestination.OpenAsync(shell, to, source.Tag, access, cancellation);
        var (plan, report) = await BundleCopy.RunAsync(shell, source, destination, force, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(BundleCopy.Document(plan, report, source, destination));
            return (int)ExitCode.Done;
        }

        shell.Out.WriteLine($"{done,-8}  {plan.Root.Digest}");
        BundleCopy.Tell(shell, plan, report, destination);
        if (done == "copied")
            shell.Note("every digest was checked, and no signature: `slipway verify` and `slipway pull` do that");
        return (int)ExitCode.Done;
    }

    private static string? Host(string text) => RegisteredBundle.IsVersion(text) ? null : BundleReference.Parse(text).Registry?.Host;
}
