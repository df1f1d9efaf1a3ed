using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Hardware;
using Slipway.Documents.Specs;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Links that lead around in circles, and names that few programs expect, on their way through a stage.</summary>
public sealed class HostileFilesTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Theory]
    [InlineData("in/self", "self", "in/self is not there, points nowhere")]
    [InlineData("in/deep/up", "..", "in/deep/up is a link to a folder; only links to files are followed")]
    [InlineData("in/deep/here", ".", "in/deep/here is a link to a folder")]
    [InlineData("in/root", "/", "in/root is a link to a folder")]
    [InlineData("in/one", "two", "in/")]
    public async Task A_loop_of_links_in_an_input_folder_is_refused(string link, string target, string message)
    {
        project.Write("in/deep/a.txt", "a");
        File.CreateSymbolicLink(project.PathOf(link), target);
        if (target == "two")
            File.CreateSymbolicLink(project.PathOf("in/two"), "one");
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", "cat in/deep/a.txt > build/o.txt", ["in/"], "o=build/o.txt"))))[0];
        Assert.StartsWith(message, fault.Message);

        File.Delete(project.PathOf(link));
        File.Delete(project.PathOf("in/two"));
        Assert.Equal("s", (await project.Run(TestProject.Spec(TestProject.Stage("s", "cat in/deep/a.txt > build/o.txt", ["in/"], "o=build/o.txt")))).Executed());
    }

    [Theory]
    [InlineData("ln -s self build/m/self")]
    [InlineData("ln -s .. build/m/deep/up")]
    [InlineData("ln -s . build/m/deep/here")]
    [InlineData("ln -s two build/m/one; ln -s one build/m/two")]
    [InlineData("ln -s / build/m/root")]
    [InlineData("ln -s w build/m/file")]
    public async Task A_link_in_an_output_folder_is_refused_wherever_it_leads(string line)
    {
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", $"mkdir build/m/deep; echo x > build/m/w; echo x > build/m/deep/w; {line}", [], "m=build/m/"))))[0];
        Assert.Equal("link", fault.Code);
        Assert.Contains("is a symbolic link; only files and folders have content of their own", fault.Message);
        Assert.False(Path.Exists(project.PathOf("build/m")));
    }

    [Theory]
    [InlineData("self", "the input 'self' is not there")]
    [InlineData("self/a.txt", "the input 'self/a.txt' is not there")]
    [InlineData("self/", "the input 'self/' is not there")]
    [InlineData("self/*.txt", "the input 'self/*.txt' matches no file")]
    [InlineData("d/**", "d/self.txt ")]
    public async Task A_path_that_leads_around_in_a_circle_leads_nowhere(string input, string message)
    {
        project.Write("d/a.txt", "a");
        File.CreateSymbolicLink(project.PathOf("self"), "self");
        File.CreateSymbolicLink(project.PathOf("d/self.txt"), "self.txt");
        var stage = TestProject.Stage("s", "echo x > build/o.txt", [], "o=build/o.txt") with { Inputs = [new StageInput(InputKind.Path, input)] };
        Assert.Contains(message, (await project.Faults(TestProject.Spec(stage)))[0].Message);
    }

    [Theory]
    [InlineData("self/o.txt")]
    [InlineData("self/deep/er/o.txt")]
    [InlineData("self/")]
    [InlineData("self")]
    [InlineData("file/o.txt")]
    [InlineData("nowhere/o.txt")]
    public async Task An_output_whose_place_is_a_loop_of_links_is_refused_before_anything_runs(string output)
    {
        File.CreateSymbolicLink(project.PathOf("self"), "self");
        File.CreateSymbolicLink(project.PathOf("nowhere"), "not there");
        project.Write("file", "x");
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", output == "self/" ? "echo x > self/o" : "echo x > " + output, [], "o=" + output))))[0];
        Assert.Equal("foreign-output", fault.Code);
        Assert.Empty(project.Events);
    }

    [Fact]
    public async Task A_folder_deeper_than_a_path_may_be_long_is_refused()
    {
        var line = $"cd build/m; for i in $(seq 30); do mkdir {new string('n', 200)}; cd {new string('n', 200)}; done; echo x > w; cd /slipway/project; echo x > build/m/w";
        var limited = TestProject.Spec(TestProject.Stage("s", line + "; sleep 60", [], "m=build/m/") with { Hardware = "small" });
        limited = limited with { Hardware = ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("small", new HardwareProfile(null, null, null, new ByteSize(1L << 40), [], null, null, null, null, null)) };
        Assert.Equal("over-limit", (await project.Faults(limited))[0].Code);        // what cannot be counted is not nought
        foreach (var output in new[] { "m=build/m/", "m=build/m/w" })
        {
            var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", "mkdir -p build/m; " + line, [], output))))[0];
            Assert.Equal(("path-too-long", "stage s wrote a file whose path is longer than 4,095 bytes"), (fault.Code, fault.Message));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work));
    }

    [Fact]
    public async Task Names_that_few_expect_go_through_inputs_outputs_and_the_cache()
    {
        string[] names = ["-rf", "--help", "a\nb", "\t", " ", "~", "$(touch owned)", "*", "?", "[a]", "a\\b", "'", "\"", "\u0007", "e\u0301", "\u00e9", "名前", "😀", "\u202egnp.exe", new('n', 255), new('é', 127), "con", "a:b", "..."];
        foreach (var name in names)
            project.Write("in/" + name, "content of " + name);
        var copy = TestProject.Stage("copy", "cp -r in/. build/m/; cp in/-rf build/-rf", ["in/"], "m=build/m/", "dash=build/-rf");
        var again = TestProject.Stage("again", "cp -r build/m/. build/n/", ["copy.m", "copy.dash"], "n=build/n/");
        Assert.Equal("copy again", (await project.Run(TestProject.Spec(copy, again))).Executed());
        Assert.Equal(names.Order(StringComparer.Ordinal), Directory.EnumerateFiles(project.PathOf("build/n")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.Equal("content of " + name, project.Read("build/n/" + name)));

        Directory.Delete(project.PathOf("build"), recursive: true);
        Assert.Equal("", (await project.Run(TestProject.Spec(copy, again))).Executed());
        Assert.All(names, name => Assert.Equal("content of " + name, project.Read("build/m/" + name)));
        File.Delete(project.PathOf("in/" + names[2]));
        project.Write("in/b\na", "content of " + names[2]);
        Assert.Equal("copy again", (await project.Run(TestProject.Spec(copy, again))).Executed());
    }

    [Fact]
    public async Task A_name_that_is_not_UTF8_is_refused_on_both_sides()
    {
        var output = (await project.Faults(TestProject.Spec(TestProject.Stage("s", "echo x > build/m/a; echo x > build/m/$(printf '\\377')", [], "m=build/m/"))))[0];
        Assert.Contains("has a name that is not UTF-8", output.Message);
        Directory.CreateDirectory(project.PathOf("in"));
        Shell($"echo x > \"$(printf 'in/\\377')\"");
        var input = (await project.Faults(TestProject.Spec(TestProject.Stage("s", "echo x > build/o.txt", ["in/"], "o=build/o.txt"))))[0];
        Assert.Contains("has a name that is not UTF-8", input.Message);
        Shell("rm -r in");
    }

    [Fact]
    public async Task A_change_is_seen_though_size_and_time_are_the_same_and_in_the_future()
    {
        var future = new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var spec = TestProject.Spec(TestProject.Stage("s", "cat raw.txt > build/o.txt", ["raw.txt"], "o=build/o.txt"));
        foreach (var content in new[] { "one", "two", "six" })
        {
            project.Write("raw.txt", content);
            File.SetLastWriteTimeUtc(project.PathOf("raw.txt"), future);
            Assert.Equal("s", (await project.Run(spec)).Executed());
            Assert.Equal(content, project.Read("build/o.txt"));
            Assert.Equal("", (await project.Run(spec)).Executed());
        }
    }

    private void Shell(string line)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line]) { WorkingDirectory = project.Root })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }
}
