using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway ci init</c>.</summary>
internal static class CiVerb
{
    public static Command Build(GlobalOptions global)
    {
        var system = new Argument<string>("system") { Description = "github, gitlab, azure or jenkins" };
        system.AcceptOnlyFromAmong([.. CiFile.All.Select(file => file.System)]);
        var branch = new Option<string>("--branch") { Description = "The branch that is run, sealed and signed", HelpName = "NAME", DefaultValueFactory = _ => "main" };
        var image = new Option<string?>("--image") { Description = "Container image that jobs run in, with slipway on its PATH; default: runners labelled slipway", HelpName = "IMAGE" };
        var force = new Option<bool>("--force") { Description = "Replace the file that is there" };
        var init = new Command("init", "Writes the file that checks pull requests and runs the main branch.\nExample: slipway ci init github") { system, branch, image, force };
        init.SetAction(parsed =>
        {
            var shell = global.Shell(parsed);
            var repository = RepositoryOf(shell.Folder);
            var folder = Path.GetRelativePath(repository, shell.Folder);
            var settings = new CiSettings
            {
                Folder = folder == "." ? "" : folder,
                SpecFile = shell.SpecFile,
                LockName = shell.Project.LockName,
                Branch = parsed.GetRequiredValue(branch),
                Image = parsed.GetValue(image),
            };
            return Init(shell, CiFile.All.First(file => file.System == parsed.GetRequiredValue(system)), repository, settings, parsed.GetValue(force));
        });
        return new Command("ci", "Has a system for continuous integration check pull requests and run the main branch.\nExample: slipway ci init github") { init };
    }

    private static int Init(Shell shell, CiFile file, string repository, CiSettings settings, bool force)
    {
        settings.Check();
        if (!File.Exists(Path.Combine(shell.Folder, shell.SpecFile)))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-spec", $"there is no {shell.SpecFile} to check here", shell.SpecFile, Help: "go to the project's folder, name it with -C DIR, or name the spec with --file"));
        var path = Path.Combine(repository, file.Path);
        if (!force && Path.Exists(path))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("file-there", $"{path} is there already", path, Help: "move it away, or give --force to replace it"));
        AtomicFile.CreateFolder(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(file.Write(settings)));
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["system"] = file.System, ["path"] = path });
            return (int)ExitCode.Done;
        }

        var page = new TextPage(shell);
        page.Line("written", path);
        page.Line("next", settings.Image is null ? "give a runner the label slipway, and put slipway on its PATH" : $"see that {settings.Image} has slipway on its PATH");
        page.Line("", $"put SLIPWAY_SIGNING_KEY (the text of a key file) and SLIPWAY_KEY_PASSPHRASE into {file.Secrets}");
        if (SecretsOf(shell) is { Length: > 0 } secrets)
            page.Line("", $"the secrets of its stages as well ({string.Join(", ", secrets)}), and name them in the file beside those");
        page.Line("", "fetch data that git does not hold where the file says so; then commit it");
        return (int)ExitCode.Done;
    }

    /// <returns>Names of what the stages ask for; none where the spec has faults, which <c>slipway check</c> tells.</returns>
    private static string[] SecretsOf(Shell shell)
    {
        try
        {
            return [.. SpecParser.Load(shell.Folder, shell.SpecFile).Stages.SelectMany(stage => stage.Secrets ?? []).Distinct().Order(StringComparer.Ordinal)];
        }
        catch (SlipwayException)
        {
            return [];
        }
    }

    /// <summary>The nearest folder above that is a git work tree; the project's own where none is.</summary>
    private static string RepositoryOf(string folder)
    {
        for (var above = folder; above is not null; above = Path.GetDirectoryName(above))
        {
            if (Path.Exists(Path.Combine(above, ".git")))
                return above;
        }

        return folder;
    }
}
