// Written by `slipway ci init jenkins`; yours to change from here on.
//
// For a multibranch pipeline: a pull request is checked on samples of the data; what comes to @BRANCH@ is run, sealed and signed.
// The agent's workspace keeps .slipway from build to build, which is the cache. Let the branch source build no pull requests of strangers' forks.
// @WHERE@
// slipway-signing-key (secret text, PEM) and slipway-key-passphrase (secret text) are credentials of the folder.
pipeline {
    agent @RUNNER@
    options {
        disableConcurrentBuilds()
        timeout(time: 6, unit: 'HOURS')
    }
    stages {
        // Data that git does not hold must be fetched before, to the paths that the spec names.
        stage('check') {
            when { changeRequest() }
            steps {
                // Agents that share a cache of stages take what the others made (docs: Sharing the cache): check --cache registry.example.org/team/cache
                sh '@SLIPWAY@ check --report slipway-report'
            }
            post {
                always {
                    junit testResults: '@PREFIX@slipway-report/junit.xml', allowEmptyResults: true
                    archiveArtifacts artifacts: '@PREFIX@slipway-report/*', allowEmptyArchive: true
                }
            }
        }
        stage('run') {
            when { branch '@BRANCH@' }
            steps {
                // Secrets reach this step alone. `slipway push` after it takes the bundle to where it is kept.
                withCredentials([
                    string(credentialsId: 'slipway-signing-key', variable: 'SLIPWAY_SIGNING_KEY'),
                    string(credentialsId: 'slipway-key-passphrase', variable: 'SLIPWAY_KEY_PASSPHRASE')
                ]) {
                    // With a shared cache this one fills it, signed: run --cache registry.example.org/team/cache --cache-push
                    sh '@SLIPWAY@ run'
                }
            }
        }
    }
}
