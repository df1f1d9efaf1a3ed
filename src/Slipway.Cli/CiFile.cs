using System.Text.RegularExpressions;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What a file for continuous integration is made for.</summary>
internal sealed partial record CiSettings
{
    /// <summary>Of the project, relative to the repository; empty when they are the same.</summary>
    public required string Folder { get; init; }

    /// <summary>The spec, relative to the project.</summary>
    public required string SpecFile { get; init; }

    /// <summary>The lock, relative to the project.</summary>
    public required string LockName { get; init; }

    /// <summary>What is run, sealed and signed. Default: main.</summary>
    public string Branch { get; init; } = "main";

    /// <summary>Container image that jobs run in; null for runners that have slipway themselves.</summary>
    public string? Image { get; init; }

    /// <summary>All that could not stand in such a file, and would have to be quoted in four languages.</summary>
    /// <exception cref="SlipwayException">Exit 2, every fault.</exception>
    public void Check()
    {
        var faults = new (string What, string Value)[] { ("the project's folder", Folder), ("the spec's name", SpecFile), ("the branch", Branch), ("the image", Image ?? "") }
            .Where(part => part.Value.Length > 0 && !Plain().IsMatch(part.Value))
            .Select(part => new Fault("bad-argument", $"{part.What} is '{ForeignText.Shown(part.Value)}', allowed are letters, digits and . _ - / : @", Help: "rename it, or write the file by hand after the one for a plain name"))
            .ToList();
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._][A-Za-z0-9._/:@-]{0,254}\z")]
    private static partial Regex Plain();
}

/// <summary>The file that has a system for continuous integration check pull requests and run the main branch.</summary>
/// <param name="System">As the command line names it.</param>
/// <param name="Path">Where the system looks for it, relative to the repository.</param>
/// <param name="Resource">The template.</param>
/// <param name="Labelled">What says that a job runs where slipway is installed.</param>
/// <param name="InImage">What says that it runs in a container; <c>@IMAGE@</c> is the image.</param>
/// <param name="Secrets">Where the signing key goes, for the reader.</param>
internal sealed record CiFile(string System, string Path, string Resource, string[] Labelled, string[] InImage, string Secrets)
{
    public static CiFile[] All { get; } =
    [
        new("github", ".github/workflows/slipway.yml", "github.yml", ["runs-on: [self-hosted, slipway]"], ["runs-on: ubuntu-latest", "container: \"@IMAGE@\""], "the repository's secrets (Settings, Secrets and variables, Actions)"),
        new("gitlab", ".gitlab-ci.yml", "gitlab.yml", ["tags: [slipway]"], ["image: \"@IMAGE@\""], "the project's variables (Settings, CI/CD, Variables), masked and protected"),
        new("azure", "azure-pipelines.yml", "azure.yml", ["pool:", "  name: slipway"], ["pool:", "  vmImage: ubuntu-latest", "container: \"@IMAGE@\""], "the pipeline's secret variables"),
        new("jenkins", "Jenkinsfile", "jenkins.groovy", ["{ label 'slipway' }"], ["{ docker { image '@IMAGE@' } }"], "the folder's credentials, as slipway-signing-key and slipway-key-passphrase"),
    ];

    /// <summary>The file's text.</summary>
    public string Write(CiSettings settings)
    {
        using var stream = typeof(CiFile).Assembly.GetManifestResourceStream(Resource) ?? throw new global::System.Diagnostics.UnreachableException($"there is no template {Resource}");
        using var reader = new StreamReader(stream);
        var where = settings.Image is null
            ? "Jobs run where the label slipway leads: a machine with slipway on its PATH, and the packages of the spec's environments."
            : "The image has slipway on its PATH, and the packages of the spec's environments.";
        var command = "slipway" + (settings.Folder.Length > 0 ? $" -C {settings.Folder}" : "") + (settings.SpecFile != "slipway.yaml" ? $" --file {settings.SpecFile}" : "");
        return string.Concat(reader.ReadToEnd().Split('\n', StringSplitOptions.None).SelectMany(line => Runner(line, settings)).Select(line => line + "\n")).TrimEnd('\n')
            .Replace("@WHERE@", where, StringComparison.Ordinal)
            .Replace("@SLIPWAY@", command, StringComparison.Ordinal)
            .Replace("@PREFIX@", settings.Folder.Length > 0 ? settings.Folder + "/" : "", StringComparison.Ordinal)
            .Replace("@SPEC@", settings.SpecFile, StringComparison.Ordinal)
            .Replace("@LOCK@", settings.LockName, StringComparison.Ordinal)
            .Replace("@BRANCH@", settings.Branch, StringComparison.Ordinal) + "\n";
    }

    private IEnumerable<string> Runner(string line, CiSettings settings)
    {
        const string mark = "@RUNNER@";
        if (line.IndexOf(mark, StringComparison.Ordinal) is not (>= 0 and var at))
            return [line];
        var lines = settings.Image is null ? Labelled : InImage.Select(text => text.Replace("@IMAGE@", settings.Image, StringComparison.Ordinal)).ToArray();
        return lines.Select((text, i) => (i == 0 ? line[..at] : new string(' ', at)) + text);
    }
}
