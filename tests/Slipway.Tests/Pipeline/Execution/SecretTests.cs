using System.Collections.Immutable;
using System.Text;
using Slipway.Documents;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class SecretTests : IDisposable
{
    private const string Value = "hunter2+/ünsafe";

    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task Only_the_stage_that_names_a_secret_gets_it()
    {
        var outcome = await project.Run(TestProject.Spec(Stage("fetch", "printf %s \"$TOKEN\" | wc -c > build/o.txt"), TestProject.Stage("other", "printf %s \"$TOKEN\" | wc -c > build/p.txt", [], "p=build/p.txt")), With(Variable()));
        Assert.Equal($"{Encoding.UTF8.GetByteCount(Value)}\n", project.Read("build/o.txt").TrimStart());
        Assert.Equal("0\n", project.Read("build/p.txt").TrimStart());
        var written = Encoding.UTF8.GetString(CanonicalJson.Serialize(outcome.Rerun, DocumentJson.Default.RerunPlan));
        Assert.Contains("TOKEN", written, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", written, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(project.Folder.State, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("hunter2", File.ReadAllText(file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkfifo build/m/p")]
    [InlineData("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"build/m/s\")'")]
    public async Task What_is_no_file_in_an_output_folder_is_refused_and_not_read(string line)
    {
        var stage = TestProject.Stage("s", $"echo x > build/m/w; {line}", [], "m=build/m/") with { Secrets = ["TOKEN"] };
        Assert.Equal("not-a-file", Assert.Single(await project.Faults(TestProject.Spec(stage), options: With(Variable()))).Code);
    }

    [Fact]
    public async Task Another_value_is_no_other_key()
    {
        var spec = TestProject.Spec(Stage("fetch", "echo done > build/o.txt"));
        await project.Run(spec, With(Variable()));
        Assert.Equal("", (await project.Run(spec, With(Variable("another-value")))).Executed());
        // What is known asks for nothing.
        Assert.Equal("", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_missing_secret_is_told_before_anything_runs_with_the_three_ways_to_give_it()
    {
        var fault = Assert.Single(await project.Faults(TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"), Stage("fetch", "true")), ExitCode.NotThere));
        Assert.Equal(("missing-secret", 10), (fault.Code, fault.Line));
        Assert.Equal("stage fetch needs the secret TOKEN: there is no variable TOKEN, $SLIPWAY_SECRETS is not set, and no secret command is given", fault.Message);
        Assert.Contains("export TOKEN, or write it into the file TOKEN of a folder that $SLIPWAY_SECRETS names, or give --secret-command CMD", fault.Help, StringComparison.Ordinal);
        Assert.Empty(project.Events);
    }

    [Fact]
    public async Task A_missing_secret_is_told_of_every_stage_that_needs_it_and_looked_for_once()
    {
        var other = TestProject.Stage("other", "echo o > build/p.txt", [], "p=build/p.txt") with { Secrets = ["OTHER", "TOKEN"] };
        var spec = TestProject.Spec(Stage("fetch", "echo done > build/o.txt"), other);
        var faults = await project.Faults(spec, ExitCode.NotThere);
        Assert.Equal(["fetch TOKEN", "other OTHER", "other TOKEN"], faults.Select(fault => $"{fault.Message.Split(' ')[1]} {fault.Message.Split(' ')[5].TrimEnd(':')}").Order(StringComparer.Ordinal));

        var asked = project.PathOf("asked");
        var refusing = await project.Faults(spec, ExitCode.NotThere, With(Source([], null, $"echo >> '{asked}'; exit 3 #")));
        Assert.Equal(3, refusing.Count(fault => fault.Code == "secret-command"));
        Assert.Equal(2, File.ReadAllLines(asked).Length);
        File.Delete(asked);
        await project.Run(spec, With(Source([], null, $"echo >> '{asked}'; echo a-value-for")));
        Assert.Equal(2, File.ReadAllLines(asked).Length);
    }

    [Fact]
    public async Task A_run_asks_for_no_secret_of_a_manual_stage_that_nobody_named()
    {
        var spec = TestProject.Spec(
            Stage("fetch", "echo done > build/o.txt") with { When = StageWhen.Manual },
            TestProject.Stage("use", "cat build/o.txt > build/p.txt", ["fetch.o"], "p=build/p.txt"));
        Assert.Equal("missing-secret", Assert.Single(await project.Faults(spec, ExitCode.NotThere, options => options with { UpTo = "fetch" })).Code);
        await project.Run(spec, options => options with { UpTo = "fetch", Secrets = Variable() });
        Assert.Equal("use", (await project.Run(spec, options => options with { Force = true })).Executed());
    }

    [Fact]
    public void A_variable_comes_before_a_file_and_a_file_before_the_command()
    {
        project.Write("secrets/TOKEN", "from-the-file\n");
        project.Write("secrets/OTHER", "other-from-the-file\r\n");
        var source = Source(new() { ["TOKEN"] = Value }, project.PathOf("secrets"), "echo from-the-command for");
        Assert.Equal(Value, source.Find("TOKEN"));
        Assert.Equal("other-from-the-file", source.Find("OTHER"));
        Assert.Equal("from-the-command for THIRD", source.Find("THIRD"));
        Assert.Null(Variable().Find("THIRD"));
    }

    [Theory]
    [InlineData("exit 3 #", "the secret command exited with 3 for TOKEN")]
    [InlineData("yes #", "wrote more than 65536 bytes")]
    [InlineData("printf x #", "the secret TOKEN has 1 bytes in what the secret command answered, allowed 6 to 65536")]
    [InlineData("printf 'abcdef\\000ghi' #", "the secret TOKEN is no text in what the secret command answered")]
    [InlineData("no-such-program", "the secret command exited with 127 for TOKEN")]
    public void A_command_that_does_not_answer_a_value_is_told_without_what_it_wrote(string command, string message)
    {
        var e = Assert.Throws<SlipwayException>(() => Source([], null, command).Find("TOKEN"));
        Assert.Equal(ExitCode.NotThere, e.Exit);
        Assert.Contains(message, e.Faults[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_does_not_see_the_keys_of_our_own() =>
        Assert.Equal("[] TOKEN", Source(new() { ["OWN"] = "hidden", ["PATH"] = "/usr/bin:/bin" }, null, "echo [$OWN]").Find("TOKEN"));

    [Theory]
    [InlineData("printf %s \"$TOKEN\" > build/o.txt")]
    [InlineData("(head -c 3000000 /dev/zero; printf %s \"$TOKEN\"; echo after) > build/o.txt")]
    [InlineData("printf %s \"$TOKEN\" | base64 > build/o.txt")]
    [InlineData("printf 'some text before it: %s' \"$TOKEN\" | base64 -w 5 > build/o.txt")]
    [InlineData("printf 'some text before it: %s' \"$TOKEN\" | base64 -w 3 | sed 's/$/\\r/' > build/o.txt")]
    [InlineData("printf 'a%s:b' \"$TOKEN\" | base64 > build/o.txt")]
    [InlineData("printf 'ab%s' \"$TOKEN\" | base64 > build/o.txt")]
    [InlineData("printf 'user:%s' \"$TOKEN\" | base64 | tr '+/' '-_' > build/o.txt")]
    public async Task A_secret_in_an_output_is_refused_without_its_value(string line)
    {
        var fault = Assert.Single(await project.Faults(TestProject.Spec(Stage("fetch", line)), options: With(Variable())));
        Assert.Equal(("secret-in-output", "stage fetch: build/o.txt in its output o holds the secret TOKEN"), (fault.Code, fault.Message));
        Assert.False(File.Exists(project.PathOf("build/o.txt")));
        Assert.Empty(project.Objects.Objects());
    }

    [Fact]
    public async Task A_secret_in_a_folder_or_in_a_files_name_is_refused_as_well()
    {
        var folder = TestProject.Stage("fetch", "mkdir -p build/d/e; printf %s \"$TOKEN\" > build/d/e/f", [], "d=build/d/") with { Secrets = ["TOKEN"] };
        Assert.Contains("build/d/e/f in its output d", Assert.Single(await project.Faults(TestProject.Spec(folder), options: With(Variable()))).Message, StringComparison.Ordinal);
        var named = folder with { Run = ["/bin/sh", "-c", "mkdir -p build/d; echo x > build/d/$TOKEN"] };
        var fault = Assert.Single(await project.Faults(TestProject.Spec(named), options: With(Variable("plain-value-7"))));
        Assert.Equal("stage fetch: the name of a file in its output d holds the secret TOKEN", fault.Message);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) - 7)]
    [InlineData((1 << 20) + 5)]
    public void A_secret_across_two_blocks_is_found(int before)
    {
        project.Write("f", new string('x', before - 3) + "plain-value-7" + new string('y', 50));
        Assert.Equal("TOKEN", new SecretScan(new Dictionary<string, string> { ["TOKEN"] = "plain-value-7" }).InFile(project.PathOf("f")));
        Assert.Null(new SecretScan(new Dictionary<string, string> { ["TOKEN"] = "plain-value-8" }).InFile(project.PathOf("f")));
        var lines = string.Concat(Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('x', before - 3) + "plain-value-7" + new string('y', 50))).Chunk(76).Select(line => new string(line) + "\r\n"));
        project.Write("f", lines);
        Assert.Equal("TOKEN", new SecretScan(new Dictionary<string, string> { ["TOKEN"] = "plain-value-7" }).InFile(project.PathOf("f")));
        Assert.Null(new SecretScan(new Dictionary<string, string> { ["TOKEN"] = "plain-vague-7" }).InFile(project.PathOf("f")));
    }

    [Fact]
    public void Files_are_looked_at_apart_and_with_the_same_memory()
    {
        project.Write("one", "plain-");
        project.Write("other", "value-7");
        project.Write("both", "plain-value-7");
        var scan = new SecretScan(new Dictionary<string, string> { ["TOKEN"] = "plain-value-7" });
        Assert.Null(scan.InFile(project.PathOf("one")));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(scan.InFile(project.PathOf("other")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 16);
        Assert.Equal("TOKEN", scan.InFile(project.PathOf("both")));
        Assert.Null(scan.InFile(project.PathOf("other")));
    }

    [Fact]
    public async Task A_failing_command_that_tells_its_secret_does_not_have_it_told()
    {
        var fault = Assert.Single(await project.Faults(TestProject.Spec(Stage("fetch", "echo using $TOKEN; exit 1")), options: With(Variable())));
        Assert.Contains("using ***", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", fault.ToString(), StringComparison.Ordinal);
    }

    private static StageSpec Stage(string name, string line) => TestProject.Stage(name, line, [], "o=build/o.txt") with { Secrets = ["TOKEN"] };

    private static SecretSource Variable(string value = Value) => Source(new() { ["TOKEN"] = value, ["PATH"] = "/usr/bin:/bin" }, null, null);

    private static SecretSource Source(Dictionary<string, string> variables, string? folder, string? command) =>
        new() { Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" }.Concat(variables).DistinctBy(each => each.Key).ToImmutableDictionary(), Folder = folder, Command = command, Withheld = ["OWN"] };

    private static Func<RunOptions, RunOptions> With(SecretSource source) => options => options with { Secrets = source };
}
